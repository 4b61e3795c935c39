import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { TicketId, VolunteerKey } from "../../protocol/ids.ts";
import type { Accepted, Published, RolledBack } from "../coordinator/events.ts";
import { Sites } from "./sites.ts";

const BLOG = "https://blog.example";
const SHOP = "https://shop.example";
const key = (n: number) => String(n).padStart(43, "k") as VolunteerKey;
const ticket = (n: number) => String(n).padStart(22, "t") as TicketId;

let directory: string;
let now: number;
let sites: Sites;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "murmuration-sites-"));
  now = 0;
  sites = await open();
});
afterEach(() => rm(directory, { recursive: true }));
const open = (origins = [BLOG, SHOP]) => Sites.open(directory, origins, () => now);

function accept(volunteer: number, id: number, tokens = 100): void {
  const event: Partial<Accepted> = {
    type: "accepted",
    volunteer: key(volunteer),
    ticket: ticket(id),
    tokens,
  };
  sites.observe(event as Accepted, []); // what is not read of an event need not be there
}
/** A version is published, of these deltas. */
function publish(...ids: number[]): void {
  sites.observe(
    { type: "published" } as Published,
    ids.map((id) => ({ ticket: ticket(id), version: 1 })),
  );
}

it("W2: counts who is here, tickets when they are accepted, and tokens when they are merged", () => {
  sites.asked(key(1), BLOG);
  sites.asked(key(2), BLOG);
  sites.asked(key(3), SHOP);
  accept(1, 1);
  accept(2, 2);
  accept(3, 3);
  publish(1, 3);
  expect(sites.read()).toEqual([
    { origin: BLOG, volunteers: 2, tickets: 2, tokens: 100 },
    { origin: SHOP, volunteers: 1, tickets: 1, tokens: 100 },
  ]);
  publish(2);
  now = 60_001;
  expect(sites.read()[0]).toEqual({ origin: BLOG, volunteers: 0, tickets: 2, tokens: 200 });
});

it("W1: counts for nobody what came from no site, or from one that was not named", () => {
  sites.asked(key(1), undefined);
  sites.asked(key(2), "https://evil.example");
  for (let i = 0; i < 1_000; i++) sites.asked(key(i + 10), `https://${i}.example`);
  accept(1, 1);
  accept(2, 2);
  publish(1, 2);
  expect(sites.read().map(({ tickets, tokens, volunteers }) => tickets + tokens + volunteers)).toEqual([
    0, 0,
  ]);
  expect(sites.tokensOf("https://evil.example")).toBeUndefined();
});

it("follows a volunteer to the page it says it stands on now", () => {
  sites.asked(key(1), BLOG);
  sites.asked(key(1), undefined);
  accept(1, 1);
  sites.asked(key(1), SHOP);
  accept(1, 2);
  publish(1, 2);
  expect(sites.tokensOf(BLOG)).toBe(0);
  expect(sites.tokensOf(SHOP)).toBe(100);
});

it("W2: is gone on with after a restart, holds no volunteer, and drops a site that is named no more", async () => {
  sites.asked(key(1), BLOG);
  sites.asked(key(3), SHOP);
  accept(1, 1);
  accept(3, 2);
  publish(1, 2);
  await sites.save();
  expect(await readFile(join(directory, "sites.json"), "utf8")).not.toContain("kkk");
  const again = await open([BLOG]);
  expect(again.read()).toEqual([{ origin: BLOG, volunteers: 0, tickets: 1, tokens: 100 }]);
  await writeFile(join(directory, "sites.json"), "torn");
  expect((await open()).tokensOf(BLOG)).toBe(0);
});

it("discards what a roll-back discards", () => {
  sites.asked(key(1), BLOG);
  accept(1, 1);
  sites.observe({ type: "rolled-back" } as RolledBack, [{ ticket: ticket(1), version: null }]);
  publish(1);
  expect(sites.tokensOf(BLOG)).toBe(0);
});
