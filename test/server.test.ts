import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fromBase64Url, toBase64Url } from "../protocol/bytes.ts";
import { canonicalJson } from "../protocol/canonical.ts";
import { F32 } from "../protocol/codec/codec.ts";
import { addFrame, encodeFrame, FRAME_HEADER_BYTES } from "../protocol/frame.ts";
import { asObject, parseJson } from "../protocol/guards.ts";
import { sha256 } from "../protocol/identity.ts";
import type { Signature, TicketId } from "../protocol/ids.ts";
import { parseManifest } from "../protocol/manifest.ts";
import { verifyReceipt } from "../protocol/receipt.ts";
import { ROUTES } from "../protocol/routes.ts";
import { type Ticket, verifyTicket } from "../protocol/ticket.ts";
import { edge } from "./edge.ts";
import { HttpVolunteer } from "./harness/http-volunteer.ts";
import { deltaOf, ROUND_MS, type TinyRun, tinyRun, tinySettings, until } from "./harness/tiny-run.ts";
import { toFloats } from "./harness/to-floats.ts";

/** The real run behind the real routes: what a volunteer can rely on, and what it cannot get away with. */
let tiny: TinyRun;
let app: ReturnType<typeof edge>;
let closing: AbortController;
let ann: HttpVolunteer;
let ben: HttpVolunteer;
beforeEach(async () => {
  tiny = await tinyRun({ settings: tinySettings({ downlink: "f32" }) });
  closing = new AbortController();
  app = edge(tiny.run, { closing: closing.signal });
  const send = (path: string, init: RequestInit) => app.request(path, init);
  ann = await HttpVolunteer.create(send);
  ben = await HttpVolunteer.create(send);
});
afterEach(async () => {
  closing.abort();
  await tiny.run.close();
});

const frame = (seed: number) => encodeFrame(F32, deltaOf(seed));
const get = async (path: string) => new Uint8Array(await (await app.request(path)).arrayBuffer());
const manifest = async () => parseManifest(parseJson(await get(ROUTES.manifest)));
const code = (refused: Promise<unknown>) =>
  refused.then(
    () => "accepted",
    (error: { code: string }) => error.code,
  );
const modelHash = async () => (await manifest()).hash;

describe("a round over HTTP", () => {
  it("leases, takes deltas, publishes, and a replica follows the diffs to the byte", async () => {
    const { server, hash } = await manifest();
    const before = await get(ROUTES.latestSnapshot);
    expect(await sha256(before)).toBe(hash);
    expect(await get(ROUTES.snapshot(hash))).toEqual(before);

    const tickets = [await ann.ticket(), await ben.ticket()] as const;
    for (const ticket of tickets) expect(await verifyTicket(server, ticket)).toBe(true);
    expect(await sha256(await get(ROUTES.shard(tickets[0].shard)))).toBe(tickets[0].shard);
    const receipts = [
      await ann.upload(tickets[0], frame(1)),
      await ben.upload(tickets[1], frame(2)),
    ] as const;
    for (const receipt of receipts) expect(await verifyReceipt(server, receipt)).toBe(true);
    expect(receipts[0].delta).toBe(await sha256(frame(1)));

    await until(() => tiny.run.status().version === 1);
    const replica = toFloats(before);
    addFrame(await get(ROUTES.diff(0)), replica, 1);
    expect(new Uint8Array(replica.buffer)).toEqual(await get(ROUTES.latestSnapshot));
    expect(await sha256(await get(ROUTES.latestSnapshot))).toBe(await modelHash());
    const credit = parseJson(await get(ROUTES.credit(ann.identity.key)));
    expect(credit).toEqual({ tokens: 32, recent: 32, merged: 1, pending: 0, refused: 0 });
    const status = parseJson(await get(ROUTES.run));
    expect(status).toMatchObject({ version: 1, tokensMerged: 64, deltas: { merged: 2, refused: {} } });
  });

  it("E1: tells listeners of each version", async () => {
    const stream = await app.request(ROUTES.events);
    const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
    const next = async () => JSON.parse((await reader.read()).value!.replace(/^data: /, ""));
    expect(await next()).toMatchObject({ type: "hello", version: 0, state: "running" });
    for (const volunteer of [ann, ben]) await volunteer.upload(await volunteer.ticket(), frame(1));
    expect(await next()).toMatchObject({ type: "version", version: 1, deltas: 2, hash: await modelHash() });
    await tiny.run.admin.pause();
    expect(await next()).toEqual({ type: "state", state: "paused" });
    expect(await code(ann.ticket())).toBe("run-paused");
  });

  it("D3: gives the same upload the same receipt, however often and at once, and counts it once", async () => {
    const ticket = await ann.ticket();
    const receipts = await Promise.all(Array.from({ length: 50 }, () => ann.upload(ticket, frame(1))));
    expect(new Set(receipts.map(canonicalJson)).size).toBe(1);
    await ben.upload(await ben.ticket(), frame(2));
    await until(() => tiny.run.status().version === 1);
    expect(await ann.upload(ticket, frame(1))).toEqual(receipts[0]);
    expect(await code(ann.upload(ticket, frame(3)))).toBe("ticket-used");
    expect(tiny.run.status().deltas.merged).toBe(2);
  });
});

describe("what is refused leaves the model as it was", () => {
  const spoil = (at: number, bytes: readonly number[]) => {
    const spoilt = frame(1);
    spoilt.set(bytes, at);
    return spoilt;
  };
  const huge = () => encodeFrame(F32, deltaOf(1).fill(1e30));
  const flip = (signature: Signature) => {
    const bytes = fromBase64Url(signature);
    bytes[7]! ^= 1;
    return toBase64Url(bytes) as Signature;
  };

  const cases: [string, string, (ticket: Ticket) => Promise<unknown>][] = [
    ["NaN", "not-finite", (t) => ann.upload(t, spoil(FRAME_HEADER_BYTES, [0, 0, 0xc0, 0x7f]))],
    ["infinity", "not-finite", (t) => ann.upload(t, spoil(FRAME_HEADER_BYTES, [0, 0, 0x80, 0x7f]))],
    ["a huge scale", "norm-too-large", (t) => ann.upload(t, huge())],
    ["another shape", "wrong-shape", (t) => ann.upload(t, encodeFrame(F32, new Float32Array(9)))],
    ["an unknown codec", "unknown-codec", (t) => ann.upload(t, spoil(5, [77]))],
    ["a later frame version", "unknown-frame", (t) => ann.upload(t, spoil(4, [2]))],
    ["no frame", "bad-frame", (t) => ann.upload(t, new Uint8Array())],
    ["half a frame", "bad-frame", (t) => ann.upload(t, frame(1).subarray(0, -1))],
    ["garbage", "bad-frame", (t) => ann.upload(t, new Uint8Array(40).fill(7))],
    ["too much", "too-large", (t) => ann.upload(t, new Uint8Array(tiny.run.maxUploadBytes))],
    ["another's ticket", "not-your-ticket", (t) => ben.upload(t, frame(1))],
    ["a forged signature", "bad-ticket", (t) => ann.upload({ ...t, signature: flip(t.signature) }, frame(1))],
    [
      "more steps than leased",
      "bad-ticket",
      (t) => ann.upload({ ...t, steps: 3, rates: [1, 1, 1] }, frame(1)),
    ],
    ["a ticket made up", "bad-ticket", (t) => ann.upload({ ...t, id: "A".repeat(22) as TicketId }, frame(1))],
    ["no envelope", "bad-frame", (t) => ann.post(ROUTES.deltas, new Uint8Array(), t.id)],
    ["an envelope of lies", "bad-frame", (t) => ann.post(ROUTES.deltas, new Uint8Array(8).fill(255), t.id)],
  ];

  it.each(cases)("%s is %s, is counted, and the ticket can still be used", async (_, wanted, act) => {
    const before = await modelHash();
    const ticket = await ann.ticket();
    expect(await code(act(ticket))).toBe(wanted);
    const { refused } = asObject(parseJson(await get(ROUTES.run)).deltas, "deltas");
    expect(refused).toEqual({ [wanted]: 1 });
    expect(await modelHash()).toBe(before);
    expect(await code(ann.upload(ticket, frame(1)))).toBe("accepted");
  });

  it("A9, A10: a lease that is over, a version long past", async () => {
    const late = await ann.ticket();
    const old = await ann.ticket();
    tiny.clock.ms += 60_001;
    tiny.run.tick();
    expect(await code(ann.upload(late, frame(1)))).toBe("lease-expired");
    expect(await code(ann.upload(old, frame(1)))).toBe("lease-expired");
    const stale = await ann.ticket();
    for (let version = 0; version < 5; version++) {
      for (const volunteer of [ben, ben]) await volunteer.upload(await volunteer.ticket(), frame(version));
      tiny.clock.ms += ROUND_MS;
      tiny.run.tick();
      await until(() => tiny.run.status().version === version + 1);
    }
    expect(await code(ann.upload(stale, frame(1)))).toBe("stale");
  });
});
