import { beforeEach, describe, expect, it } from "vitest";
import type { PersonId } from "../../protocol/ids.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { edge } from "../../test/edge.ts";
import { FakeService } from "../../test/fake-service.ts";
import { CARD_RATE, CARDS_RATE } from "../net/limits.ts";
import { CARD_MS, ShareCards } from "./share-cards.ts";

const personOf = (number: number) => String(number).padStart(22, "A") as PersonId;
const ANN = { name: "Ann", tokens: "1.23M", run: "Whales" };

describe("A37: the share cards that strangers have drawn", () => {
  let now = 0;
  let cards: ShareCards;
  beforeEach(() => {
    now = 0;
    cards = new ShareCards(() => now);
  });
  /** How many of so many askers, each for another person's card, get one. */
  const given = (askers: number, networkOf: (asker: number) => string) =>
    Array.from({ length: askers }, (_, asker) => {
      try {
        return cards.of(personOf(asker), ANN, networkOf(asker));
      } catch {
        return undefined;
      }
    }).filter((png) => png !== undefined).length;

  it("are drawn once for all who ask within five minutes, and again for another number after that", () => {
    const first = cards.of(personOf(1), ANN, "one");
    for (let asker = 0; asker < 500; asker++) {
      expect(cards.of(personOf(1), { ...ANN, tokens: "9.99M" }, `network ${asker}`)).toBe(first);
    }
    now += CARD_MS;
    const again = cards.of(personOf(1), { ...ANN, tokens: "9.99M" }, "one");
    expect(Buffer.compare(again, first)).not.toBe(0);
  });

  it("are few for one network, and then the number that is old stands for the new one", () => {
    const old = cards.of(personOf(0), ANN, "another");
    expect(given(100, () => "one")).toBe(CARD_RATE.burst + 1);
    now += CARD_MS;
    expect(given(CARD_RATE.burst, () => "one")).toBe(CARD_RATE.burst);
    const grown = cards.of(personOf(0), { ...ANN, tokens: "2.00M" }, "one");
    expect(Buffer.compare(grown, old)).toBe(0);
  });

  it("are few for all networks together", () => {
    expect(given(200, (asker) => `network ${asker}`)).toBe(CARDS_RATE.burst);
    now += 10_000;
    expect(given(200, (asker) => `network ${asker}`)).toBe(CARDS_RATE.burst + 10 * CARDS_RATE.perSecond);
  });

  it("never show a name that its owner has changed", () => {
    const ann = cards.of(personOf(1), ANN, "one");
    const bob = cards.of(personOf(1), { ...ANN, name: "Bob" }, "one");
    expect(Buffer.compare(bob, ann)).not.toBe(0);
    given(CARD_RATE.burst, () => "one");
    expect(() => cards.of(personOf(1), { ...ANN, name: "Carl" }, "one")).toThrow("more requests");
  });

  it("are refused to the many addresses of one network; the control: not to as many networks", async () => {
    const service = new FakeService();
    const ask = async (app: ReturnType<typeof edge>, asker: number, remoteAddress: string) => {
      service.page = personOf(asker);
      const sent = { incoming: { socket: { remoteAddress } } };
      return (await app.request(ROUTES.personCard(service.page), {}, sent)).status;
    };
    const drawnBy = async (addressOf: (asker: number) => string) => {
      const app = edge(service, { now: () => now });
      const answers = [];
      for (let asker = 0; asker < 30; asker++) answers.push(await ask(app, asker, addressOf(asker)));
      expect(await ask(app, 0, addressOf(99)), "what is drawn").toBe(200);
      return answers.filter((status) => status === 200).length;
    };
    expect(await drawnBy((asker) => `2001:db8:1:${asker}::1`)).toBe(CARD_RATE.burst);
    expect(await drawnBy((asker) => `2001:db8:${asker}::1`)).toBe(30);
  });
});
