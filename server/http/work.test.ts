import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { utf8 } from "../../protocol/bytes.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { createIdentity, type Identity } from "../../protocol/identity.ts";
import { KEY_HEADER, NONCE_HEADER, SIGNATURE_HEADER } from "../../protocol/request.ts";
import { ROUTES } from "../../protocol/routes.ts";
import type { AuditTicket } from "../../protocol/shared-audit.ts";
import { encodeUpload } from "../../protocol/upload.ts";
import { PROTOCOL_HEADER } from "../../protocol/version.ts";
import { ADDRESSED, drawNonce, edge, signedPost } from "../../test/edge.ts";
import { FakeService, ticketFor } from "../../test/fake-service.ts";
import { Turns } from "../lib/turns.ts";
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
const REPORT = { loss: 1, trainMs: 5, device: "test" };
const upload = (identity: Identity, id = drawNonce()) => ({
  id,
  body: encodeUpload(ticketFor(identity.key, id), REPORT, new Uint8Array([1, 2, 3])),
});

async function refusal(response: Response): Promise<{ status: number; code: string; retryAfterMs?: number }> {
  const { error }: { error: { code: string; retryAfterMs?: number } } = await response.json();
  return { status: response.status, ...error };
}

describe("on a server of several runs", () => {
  /** One whose journal is slow: each upload ends when the test says so. */
  class SlowService extends FakeService {
    readonly begun: string[];
    readonly ends: (() => void)[] = [];

    constructor(begun: string[], name: string) {
      super();
      this.begun = begun;
      const accept = this.accept;
      this.accept = async (...sent) => {
        begun.push(name);
        await new Promise<void>((resolve) => void this.ends.push(resolve));
        return accept(...sent);
      };
    }
  }

  it("checks a quiet run's upload before all that a busy one has waiting; control: without turns each at once", async () => {
    for (const uploadTurns of [new Turns(1), undefined]) {
      const begun: string[] = [];
      const [busy, quiet] = [new SlowService(begun, "busy"), new SlowService(begun, "quiet")];
      const send = async (to: SlowService) => {
        const { id, body } = upload(me);
        return edge(to, { uploadTurns }).request(
          ROUTES.deltas,
          await signedPost(me, ROUTES.deltas, body, id),
        );
      };
      const sent = [send(busy), send(busy), send(busy), send(quiet)];
      const most = uploadTurns === undefined ? 4 : 1;
      await vi.waitFor(() => expect([begun.length, uploadTurns?.waiting ?? 0]).toEqual([most, 4 - most]));
      while (begun.length < 4 || busy.ends.length + quiet.ends.length > 0) {
        for (const { ends } of [busy, quiet]) ends.shift()?.();
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
      for (const answer of sent) expect((await answer).status).toBe(200);
      if (uploadTurns !== undefined) expect(begun.indexOf("quiet")).toBeLessThan(2);
    }
  });
});

describe("AU5: asking for work as one that makes audits", () => {
  const wish = (text: string) => signedPost(me, ROUTES.tickets, utf8(text));
  const audit = { id: "a".repeat(22), frame: "f".repeat(64) } as AuditTicket;

  it("gives the audit that it was drawn for, and then a ticket", async () => {
    service.nextAudit = audit;
    const ask = async () =>
      (await app.request(ROUTES.tickets, await wish('{"speed":5,"audits":true}'))).json();
    expect(await ask()).toEqual({ audit });
    expect(await ask()).toMatchObject({ ticket: { volunteer: me.key } });
    expect(service.auditors).toHaveLength(2);
  });

  it("gives none to who does not say so, and refuses what is neither yes nor no", async () => {
    service.nextAudit = audit;
    for (const text of ["{}", '{"audits":false}']) {
      const answer = await app.request(ROUTES.tickets, await wish(text));
      expect(await answer.json()).toMatchObject({ ticket: { volunteer: me.key } });
    }
    expect(service.auditors).toEqual([]);
    const answer = await refusal(await app.request(ROUTES.tickets, await wish('{"audits":"yes"}')));
    expect(answer).toMatchObject({ status: 400, code: "bad-request" });
  });
});

describe("AU7: an auditor's answer", () => {
  const change = { before: 3, after: 2.5, error: 0.125 };
  const measured = { assigned: change, gate: change, distance: 0, shortened: 0.5, length: 1 };
  const sent = (answer: unknown) => signedPost(me, ROUTES.audits, utf8(JSON.stringify(answer)));
  const id = "a".repeat(22);

  it("is read field by field and handed on", async () => {
    const answer = await app.request(ROUTES.audits, await sent({ audit: id, measured, more: 1 }));
    expect(await answer.json()).toEqual({ taken: true });
    expect(service.auditAnswers).toEqual([{ audit: id, measured }]);
  });

  it.each([
    ["no audit", { measured }],
    ["no measurement", { audit: id }],
    ["a loss that is none", { audit: id, measured: { ...measured, gate: { ...change, after: null } } }],
    ["a loss beyond all bounds", { audit: id, measured: { ...measured, gate: { ...change, after: 1e7 } } }],
    ["no standard error", { audit: id, measured: { ...measured, assigned: { before: 3, after: 2 } } }],
    ["a distance below none", { audit: id, measured: { ...measured, distance: -1e-9 } }],
    ["a length that is text", { audit: id, measured: { ...measured, length: "1" } }],
  ])("with %s is refused", async (_what, answer) => {
    const response = await app.request(ROUTES.audits, await sent(answer));
    expect(await refusal(response)).toMatchObject({ status: 400, code: "bad-request" });
    expect(service.auditAnswers).toEqual([]);
  });

  it("is refused unread where it is larger than any, no JSON, or signed by nobody", async () => {
    const large = await app.request(
      ROUTES.audits,
      await sent({ audit: id, measured, more: "x".repeat(1_024) }),
    );
    expect(await refusal(large)).toMatchObject({ status: 413, code: "too-large" });
    const torn = await app.request(ROUTES.audits, await signedPost(me, ROUTES.audits, utf8("{")));
    expect(await refusal(torn)).toMatchObject({ status: 400, code: "bad-json" });
    const body = JSON.stringify({ audit: id, measured });
    const bare = await app.request(ROUTES.audits, { method: "POST", body, headers: ADDRESSED });
    expect(await refusal(bare)).toMatchObject({ status: 401, code: "bad-signature" });
    expect(service.auditAnswers).toEqual([]);
  });

  it("that the run refuses is refused with its code", async () => {
    for (const code of ["audit-over", "audit-answered", "not-your-audit"] as const) {
      service.failure = new ProtocolError(code, "no");
      expect(
        (await refusal(await app.request(ROUTES.audits, await sent({ audit: id, measured })))).code,
      ).toBe(code);
    }
  });
});

describe("asking for a ticket", () => {
  it("leases one to the key that signed", async () => {
    const response = await app.request(ROUTES.tickets, await signedPost(me, ROUTES.tickets, EMPTY));
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ ticket: { volunteer: me.key } });
  });

  it("V1: refuses another protocol, and none", async () => {
    for (const version of ["1", "0", "2.0", undefined]) {
      const init = await signedPost(me, ROUTES.tickets, EMPTY);
      delete init.headers[PROTOCOL_HEADER];
      if (version !== undefined) init.headers[PROTOCOL_HEADER] = version;
      const answer = await refusal(await app.request(ROUTES.tickets, init));
      expect(answer).toMatchObject({ status: 426, code: "protocol-mismatch" });
    }
    expect(service.tickets).toBe(0);
  });

  it("S2: refuses any change of what was signed", async () => {
    const sign = () => signedPost(me, ROUTES.tickets, EMPTY);
    const other = await createIdentity();
    const changed = [
      { ...(await sign()), body: utf8("{ }") },
      await signedPost(me, ROUTES.deltas, EMPTY),
      ...(await Promise.all(
        [
          { [KEY_HEADER]: other.key },
          { [NONCE_HEADER]: drawNonce() },
          { [SIGNATURE_HEADER]: "A".repeat(86) },
          { [SIGNATURE_HEADER]: "" },
          { [KEY_HEADER]: "" },
        ].map(async (headers) => {
          const init = await sign();
          return { ...init, headers: { ...init.headers, ...headers } };
        }),
      )),
    ];
    for (const init of changed) {
      const answer = await refusal(await app.request(ROUTES.tickets, init));
      expect(answer).toMatchObject({ status: 401, code: "bad-signature" });
    }
    const elsewhere = await app.request(`${ROUTES.tickets}?x=1`, await sign());
    expect(await refusal(elsewhere)).toMatchObject({ status: 401, code: "bad-signature" });
    expect(service.tickets).toBe(0);
  });

  it("S3: refuses a nonce sent before", async () => {
    const init = await signedPost(me, ROUTES.tickets, EMPTY);
    expect((await app.request(ROUTES.tickets, init)).status).toBe(200);
    const again = await refusal(await app.request(ROUTES.tickets, init));
    expect(again).toMatchObject({ status: 409, code: "nonce-reused" });
    expect(service.tickets).toBe(1);
  });

  it.each(["", "[]", "null", "1", "{", "\ufeff"])("P1: refuses %j as a body", async (text) => {
    const init = await signedPost(me, ROUTES.tickets, utf8(text));
    const { status } = await app.request(ROUTES.tickets, init);
    expect(status).toBe(400);
    expect(service.tickets).toBe(0);
  });

  it("refuses a body larger than JSON may be, before its signature is looked at", async () => {
    const init = await signedPost(me, ROUTES.tickets, new Uint8Array(20_000));
    expect(await refusal(await app.request(ROUTES.tickets, init))).toMatchObject({ code: "too-large" });
  });

  it("passes the run's own refusal on", async () => {
    service.failure = new ProtocolError("no-work", "nothing to do", 1_500);
    const response = await app.request(ROUTES.tickets, await signedPost(me, ROUTES.tickets, EMPTY));
    expect(await refusal(response)).toMatchObject({ status: 503, code: "no-work", retryAfterMs: 1_500 });
    expect(service.refusals).toEqual([]);
  });
});

describe("sending a delta", () => {
  it("reaches the run with its frame, and brings the receipt back", async () => {
    const { id, body } = upload(me);
    const response = await app.request(ROUTES.deltas, await signedPost(me, ROUTES.deltas, body, id));
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ receipt: { ticket: id, volunteer: me.key } });
    expect(service.uploads.map((one) => [...one.frame])).toEqual([[1, 2, 3]]);
    expect(service.refusals).toEqual([]);
  });

  it("counts what the edge refuses, and leaves to the run what the run refuses", async () => {
    const bad = await signedPost(me, ROUTES.deltas, utf8("xx"));
    expect(await refusal(await app.request(ROUTES.deltas, bad))).toMatchObject({ code: "bad-frame" });
    const big = await signedPost(me, ROUTES.deltas, new Uint8Array(service.maxUploadBytes + 1));
    expect(await refusal(await app.request(ROUTES.deltas, big))).toMatchObject({
      status: 413,
      code: "too-large",
    });
    const { id, body } = upload(me);
    const forged = await signedPost(me, ROUTES.deltas, body, id);
    forged.headers[NONCE_HEADER] = drawNonce();
    await app.request(ROUTES.deltas, forged);
    expect(service.refusals).toEqual(["bad-frame", "too-large", "bad-signature"]);
    service.failure = new ProtocolError("stale", "too late");
    const late = await app.request(ROUTES.deltas, await signedPost(me, ROUTES.deltas, body, id));
    expect(await refusal(late)).toMatchObject({ status: 409, code: "stale" });
    expect(service.refusals).toHaveLength(3);
  });

  it("does not read what the header already declares too large", async () => {
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          pulled++;
          controller.enqueue(new Uint8Array(1_024));
        },
      },
      { highWaterMark: 0 },
    );
    const init = await signedPost(me, ROUTES.deltas, EMPTY);
    const headers = { ...init.headers, "content-length": "999999999" };
    const sent = {
      method: "POST",
      body,
      headers,
      duplex: "half",
    }; // duplex: Node's, absent from the DOM's types
    const request = new Request(`http://x${ROUTES.deltas}`, sent);
    expect(await refusal(await app.request(request))).toMatchObject({ status: 413, code: "too-large" });
    expect(pulled).toBe(0);
  });
});

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
