import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { utf8 } from "../../protocol/bytes.ts";
import { createIdentity, type Identity } from "../../protocol/identity.ts";
import { SIGNATURE_HEADER } from "../../protocol/request.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { ADDRESSED, edge, refusal, signedPost, upload } from "../../test/edge.ts";
import { FakeService } from "../../test/fake-service.ts";
import { ADDRESS_RATE, KEY_RATE, MAX_UPLOADS, NETWORK_SHARE } from "../net/limits.ts";

let service: FakeService;
let app: ReturnType<typeof edge>;
let me: Identity;
beforeEach(async () => {
  service = new FakeService();
  app = edge(service);
  me = await createIdentity();
});

const EMPTY = utf8("{}");

describe("rates", () => {
  const ask = async (identity: Identity, address = "10.0.0.1", headers: Record<string, string> = {}) => {
    const init = await signedPost(identity, ROUTES.tickets, EMPTY);
    const incoming = { url: ROUTES.tickets, socket: { remoteAddress: address } };
    return app.request(ROUTES.tickets, { ...init, headers: { ...init.headers, ...headers } }, { incoming });
  };

  it("limit one key, and not its neighbour on the same address", async () => {
    for (let i = 0; i < KEY_RATE.burst; i++) expect((await ask(me)).status).toBe(200);
    const refused = await refusal(await ask(me));
    expect(refused).toMatchObject({ status: 429, code: "too-many-requests" });
    expect(refused.retryAfterMs).toBeGreaterThan(0);
    expect((await ask(await createIdentity())).status).toBe(200);
  });

  it("limit one address before anything is read, and spend no key's rate on a forgery", async () => {
    const forgery = { ...(await signedPost(me, ROUTES.tickets, EMPTY)) };
    forgery.headers[SIGNATURE_HEADER] = "A".repeat(86);
    const send = (address: string, forwarded: string) =>
      app.request(
        ROUTES.tickets,
        { ...forgery, headers: { ...forgery.headers, "x-forwarded-for": forwarded } },
        { incoming: { url: ROUTES.tickets, socket: { remoteAddress: address } } },
      );
    // X-Forwarded-For is not believed: changing it does not help.
    for (let i = 0; i < ADDRESS_RATE.burst; i++) {
      expect((await send("10.0.0.1", `1.2.3.${i}`)).status).toBe(401);
    }
    expect((await send("10.0.0.1", "9.9.9.9")).status).toBe(429);
    expect((await ask(me, "10.0.0.2")).status).toBe(200);
  });

  it("believe the proxy's last word where the operator trusts one", async () => {
    app = edge(service, { proxies: 1 });
    const send = (forwarded: string) =>
      app.request(
        ROUTES.tickets,
        { method: "POST", headers: { ...ADDRESSED, "x-forwarded-for": forwarded } },
        { incoming: { url: ROUTES.tickets, socket: { remoteAddress: "10.0.0.1" } } },
      );
    for (let i = 0; i < ADDRESS_RATE.burst; i++) await send(`6.6.6.${i}, 1.1.1.1`);
    expect((await send("6.6.6.6, 1.1.1.1")).status).toBe(429);
    expect((await send("1.1.1.1, 2.2.2.2")).status).toBe(401);
  });

  it("A23: tell the run each sender's network, but no address, and of this machine nothing", async () => {
    const send = async (remoteAddress: string) => {
      const { id, body } = upload(me);
      const init = await signedPost(me, ROUTES.deltas, body, id);
      const incoming = { url: ROUTES.deltas, socket: { remoteAddress } };
      expect((await app.request(ROUTES.deltas, init, { incoming })).status).toBe(200);
      return service.networks.at(-1);
    };
    const name = await send("203.0.113.7");
    expect(name).toMatch(/^[\w-]{12}$/);
    expect(await send("203.0.113.99")).toBe(name);
    expect(await send("198.51.100.1")).not.toBe(name); // the control
    expect(await send("127.0.0.1")).toBeUndefined();
  });
});

describe("A4: uploads that do not come", () => {
  const address = { open: 0 };
  let stalled: ReadableStreamDefaultController[];
  beforeEach(() => {
    app = edge(service, { proxies: 1 });
    stalled = [];
  });
  afterEach(() => {
    for (const one of stalled) one.error(new Error("gone"));
  });

  /** Begins an upload of which nothing comes, from a host of a network. */
  function stall(network: string): Promise<Response> {
    const body = new ReadableStream({ start: (controller) => void stalled.push(controller) });
    const headers = {
      ...ADDRESSED,
      "x-forwarded-for": `${network}.${++address.open % 250}`,
      "content-length": "4000",
    };
    const init = { method: "POST", body, headers, duplex: "half" };
    return Promise.resolve(app.request(ROUTES.deltas, init));
  }
  const send = async (from: string) => {
    const { id, body } = upload(me);
    const init = await signedPost(me, ROUTES.deltas, body, id);
    return app.request(ROUTES.deltas, { ...init, headers: { ...init.headers, "x-forwarded-for": from } });
  };
  const share = NETWORK_SHARE * MAX_UPLOADS;

  it("take a quarter of the room from one network, whatever its addresses, and others are served", async () => {
    const waiting = Array.from({ length: share }, () => stall("203.0.113"));
    const more = await Promise.all(Array.from({ length: MAX_UPLOADS }, () => stall("203.0.113")));
    for (const response of more) {
      expect(await refusal(response)).toMatchObject({ status: 429, code: "too-many-requests" });
    }
    expect((await send("203.0.113.9")).status).toBe(429);
    expect((await send("198.51.100.7")).status).toBe(200);
    for (const one of stalled.splice(0)) one.error(new Error("gone"));
    await Promise.all(waiting);
    expect((await send("203.0.113.9")).status).toBe(200); // its share is free again
  });

  it("take all of it where they have no network, the control; and never more than all", async () => {
    const waiting = Array.from({ length: MAX_UPLOADS }, () => stall("192.168.0"));
    const answer = await refusal(await send("198.51.100.7"));
    expect(answer).toMatchObject({ code: "too-many-requests", retryAfterMs: expect.any(Number) });
    for (const one of stalled.splice(0)) one.error(new Error("gone"));
    await Promise.all(waiting);
    expect((await send("198.51.100.7")).status).toBe(200);
  });
});
