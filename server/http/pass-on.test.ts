import { beforeEach, expect, test } from "vitest";
import { utf8 } from "../../protocol/bytes.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { createIdentity, type Identity } from "../../protocol/identity.ts";
import type { ServerNonce } from "../../protocol/ids.ts";
import { SERVER_NONCE_HEADER } from "../../protocol/request.ts";
import { ROUTES, WRITING_ROUTES } from "../../protocol/routes.ts";
import { encodeUpload } from "../../protocol/upload.ts";
import { drawNonce, edge, RECIPIENT, signedPost } from "../../test/edge.ts";
import { FakeService, HASH, ticketFor } from "../../test/fake-service.ts";
import type { PassedRequest } from "../lib/passing.ts";
import { ADDRESS_RATE, MAX_COMPLETION_BYTES } from "../net/limits.ts";
import type { RunService } from "../run/service.ts";
import { answerPassed } from "./pass-on.ts";

const REPORT = { loss: 1, trainMs: 5, device: "test" };
const MAX_BYTES = 4_096;

let leader: FakeService;
let own: FakeService;
let asked: PassedRequest[];
let me: Identity;
let leads: boolean;
let takes: boolean;
let now: number;
let app: ReturnType<typeof edge>;
let there: ReturnType<typeof edge>;
beforeEach(async () => {
  [leader, own, asked, leads, takes, now] = [new FakeService(), new FakeService(), [], true, false, 0];
  there = edge(leader);
  me = await createIdentity();
  app = edge(own, {
    role: "edge",
    passing: {
      ask: async (request, _wait, left = new AbortController().signal) => {
        asked.push(request);
        if (!leads) throw new ProtocolError("not-durable", "nobody leads", 1_000);
        return answerPassed(there, request, () => 3, left);
      },
      reached: async () => {},
      takesDeltas: () => takes,
      maxBytes: MAX_BYTES,
      proxies: 0,
      now: () => now,
    },
  });
});

const uploadOf = async () => {
  const id = drawNonce();
  return signedPost(
    me,
    ROUTES.deltas,
    encodeUpload(ticketFor(me.key, id), REPORT, new Uint8Array([1, 2])),
    id,
  );
};
const from = (address: string) => ({ incoming: { socket: { remoteAddress: address } } }) as never;

test("an upload that goes to an edge, and again to the leader, gets the same receipt", async () => {
  const request = await uploadOf();
  const first = await app.request(ROUTES.deltas, request, from("192.0.2.7"));
  expect(first.status).toBe(200);
  const receipt = await first.text();
  expect(await (await there.request(ROUTES.deltas, request)).text()).toBe(receipt);
  expect([leader.uploads.length, own.uploads.length]).toEqual([2, 0]);
});

test("an edge that takes deltas passes on nothing of one, and asks for no nonce of its own; without, it is refused", async () => {
  takes = true;
  const id = drawNonce();
  const body = encodeUpload(ticketFor(me.key, id), REPORT, new Uint8Array([1, 2]));
  // Signed for the nonce that the leader told with the ticket.
  const to = { ...RECIPIENT, serverNonce: "r".repeat(21).concat("A") as ServerNonce };
  const request = await signedPost(me, ROUTES.deltas, body, id, to);
  const answer = await app.request(ROUTES.deltas, request, from("192.0.2.7"));
  expect([answer.status, asked.length, own.uploads.length]).toEqual([200, 0, 1]);
  expect(answer.headers.get(SERVER_NONCE_HEADER)).toBeNull();
  const { headers, ...changed } = await signedPost(me, ROUTES.deltas, body, id, to);
  const forged = {
    ...changed,
    headers,
    body: Uint8Array.from(body, (byte, i) => (i === 9 ? byte ^ 1 : byte)),
  };
  expect((await app.request(ROUTES.deltas, forged, from("192.0.2.7"))).status).toBe(401);
  const control = edge(new FakeService(), { role: "leader" });
  expect((await control.request(ROUTES.deltas, request)).status).toBe(401);
  expect((await app.request(ROUTES.tickets, await signedPost(me, ROUTES.tickets, utf8("{}")))).status).toBe(
    200,
  );
  expect(asked, "a ticket is the leader's").toHaveLength(1);
});

test("the leader sees the visitor's address, whichever edge it came to, and nobody's word for another", async () => {
  const headers = { "x-forwarded-for": "198.51.100.1" };
  for (const address of ["192.0.2.7", "192.0.2.7", "203.0.113.9"]) {
    const { headers: signed, ...request } = await uploadOf();
    await app.request(ROUTES.deltas, { ...request, headers: { ...signed, ...headers } }, from(address));
  }
  const [one, same, other] = leader.networks;
  expect(one).toBe(same);
  expect(other).not.toBe(one);
});

test("what a visitor sends too much or too often of is refused before anybody is asked", async () => {
  const much = await app.request(ROUTES.deltas, { method: "POST", body: new Uint8Array(MAX_BYTES + 1) });
  expect(much.status).toBe(413);
  expect(asked).toHaveLength(0);
  for (let i = 0; i < ADDRESS_RATE.burst + 1; i++)
    await app.request(ROUTES.tickets, { method: "POST", body: "{}" }, from("192.0.2.8"));
  expect(asked.length).toBeLessThanOrEqual(ADDRESS_RATE.burst);
  expect((await app.request(ROUTES.tickets, { method: "POST", body: "{}" }, from("192.0.2.8"))).status).toBe(
    429,
  );
});

test("an edge reads what it has itself, and asks once for what many look at", async () => {
  const paths = [
    ROUTES.snapshot(HASH),
    ROUTES.diff(2),
    ROUTES.version(3),
    ROUTES.credit(me.key),
    "/",
    "/status",
  ];
  for (const path of paths) expect((await app.request(path)).status, path).toBe(200);
  expect(asked).toHaveLength(0);
  for (let i = 0; i < 9; i++)
    expect((await app.request(`${ROUTES.run}?${i}`, { headers: { "if-none-match": "*" } })).status).toBe(200);
  expect(asked).toEqual([expect.objectContaining({ target: ROUTES.run, headers: [] })]);
  now = 2_000;
  const manifest = await app.request(ROUTES.manifest);
  expect(manifest.headers.get(SERVER_NONCE_HEADER)).not.toBeNull();
  expect(asked).toHaveLength(2);
});

test("where no server leads, reads go on, and what would change something is to be sent again", async () => {
  leads = false;
  for (const path of [ROUTES.run, ROUTES.manifest, ROUTES.snapshot(HASH), ROUTES.proof(drawNonce())])
    expect((await app.request(path)).status, path).toBe(200);
  const refused = await app.request(ROUTES.tickets, { method: "POST", body: utf8("{}") });
  expect([refused.status, (await refused.json()).error.code]).toEqual([503, "not-durable"]);
  expect(own.tickets).toBe(0);
});

test("texts are the leader's to write, and refusals are in their form", async () => {
  let on = true;
  there = edge(leader, {
    completions: {
      get on() {
        return on;
      },
      write: async (_, part) => {
        part("and so on");
        return { promptTokens: 1, tokens: 3, ended: "length" as const, version: 3 };
      },
    },
  });
  const post = (body: unknown) =>
    app.request(WRITING_ROUTES.completions, {
      ...{ method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) },
    });
  const text = { model: "any", prompt: "The ", max_tokens: 3 };
  expect(await (await post(text)).json()).toMatchObject({ choices: [{ text: "and so on" }] });
  const streamed = await (await post({ ...text, stream: true })).text();
  expect(streamed).toContain("and so on");
  expect(streamed).toContain("[DONE]");
  expect((await (await app.request(WRITING_ROUTES.models)).json()).data[0].id).toBe("test");
  on = false;
  expect((await post(text)).status).toBe(404);
  expect((await post({ prompt: "x".repeat(MAX_COMPLETION_BYTES) })).status).toBe(413);
  leads = false;
  const refused = await post(text);
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
  expect((await refused.json()).error).toMatchObject({ type: "server_error", param: null });
});

test("the leader stops writing for a visitor that hangs up at an edge", async () => {
  const begun = Promise.withResolvers<void>();
  let ends = 0;
  there = edge(leader, {
    completions: {
      on: true,
      async write(_, part, left) {
        begun.resolve();
        await new Promise((resolve) => left.addEventListener("abort", resolve));
        ends += 1;
        part("and");
        return { promptTokens: 1, tokens: 1, ended: "length" as const, version: 3 };
      },
    },
  });
  const visitor = new AbortController();
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ model: "any", prompt: "The ", max_tokens: 8 });
  const asking = app.request(WRITING_ROUTES.completions, {
    method: "POST",
    headers,
    body,
    signal: visitor.signal,
  });
  await begun.promise;
  await new Promise(setImmediate);
  expect(ends, "control: it writes while somebody waits").toBe(0);
  visitor.abort();
  await Promise.resolve(asking).catch(() => {});
  expect(ends).toBe(1);
});

test("the leader keeps no place for one who asked for work at an edge and hung up", async () => {
  const visitor = new AbortController();
  const gone: boolean[] = [];
  const ticket: RunService["ticket"] = async (_key, _nonce, _pace, isGone) => {
    gone.push(isGone());
    visitor.abort();
    gone.push(isGone());
    throw new ProtocolError("no-work", "there is none");
  };
  Object.assign(leader, { ticket });
  const request = await signedPost(me, ROUTES.tickets, utf8("{}"));
  await Promise.resolve(app.request(ROUTES.tickets, { ...request, signal: visitor.signal })).catch(() => {});
  expect(gone).toEqual([false, true]);
});

test("a balancer tells an edge from the leader", async () => {
  const status = async (to: typeof app, role: string) =>
    (await to.request(`${ROUTES.ready}?role=${role}`)).status;
  there = edge(leader, { role: "leader" });
  expect(await Promise.all([status(app, "edge"), status(app, "leader")])).toEqual([200, 503]);
  expect(await Promise.all([status(there, "edge"), status(there, "leader")])).toEqual([503, 200]);
  expect(await (await app.request(ROUTES.ready)).json()).toMatchObject({ role: "edge" });
  expect(await (await edge(leader).request(`${ROUTES.ready}?role=leader`)).json()).not.toHaveProperty("role");
});
