import { beforeAll, describe, expect, test } from "vitest";
import { type CodecSpec, DENSE2, DENSE4, F32 } from "../../protocol/codec/codec.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import { encodeFrame, FRAME_HEADER_BYTES } from "../../protocol/frame.ts";
import { createIdentity, type Identity, type Signer, sha256 } from "../../protocol/identity.ts";
import type { Hash, RunId } from "../../protocol/ids.ts";
import { packFrame } from "../../protocol/packed-frame.ts";
import { parseTicket, signTicket, type Ticket, type TicketTerms } from "../../protocol/ticket.ts";
import { decodeUpload, encodeUpload } from "../../protocol/upload.ts";
import { deltaOf, nonceOf, REPORT, uploadOf } from "../../test/harness/tiny-run.ts";
import { judge, type Now, normBound } from "./admission.ts";
import { authenticate } from "./check.ts";

let server: Identity;
let volunteer: Identity;
let run: { id: RunId; signer: Signer; parameters: number; delta: CodecSpec };

beforeAll(async () => {
  [server, volunteer] = await Promise.all([createIdentity(), createIdentity()]);
  run = { id: "a".repeat(64) as RunId, signer: server.privateKey, parameters: 10, delta: F32 };
});

const terms = (changes: Partial<TicketTerms> = {}): TicketTerms => ({
  run: run.id,
  id: nonceOf(1),
  volunteer: volunteer.key,
  version: 7,
  hash: "b".repeat(64) as Hash,
  shard: "c".repeat(64) as Hash,
  window: 0,
  seed: 1,
  steps: 2,
  batch: 2,
  rates: [0.1, 0.1],
  fresh: false,
  lease: 1_000,
  issued: 5_000,
  ...changes,
});
const ticket = (changes?: Partial<TicketTerms>) => signTicket(server.privateKey, terms(changes));
const sender = () => ({ volunteer: volunteer.key, nonce: nonceOf(1) });
const now: Now = {
  version: 7,
  now: 5_500,
  finished: false,
  waiting: 0,
  maxWaiting: 2,
  parameters: 10,
  delta: F32 as CodecSpec,
  weightDecay: 0.1,
};
const code = (expected: ErrorCode) => expect.objectContaining({ name: "ProtocolError", code: expected });

describe("who sends", () => {
  test("A10, the control: an honest upload is known by its frame's hash", async () => {
    const upload = uploadOf(await ticket());
    const { delta, frame } = await authenticate(upload, sender(), run);
    expect([delta, frame]).toEqual([await sha256(upload.frame), upload.frame]);
  });

  test("A10: every signed field of a ticket counts", async () => {
    const honest = await ticket();
    const other: Partial<Ticket> = {
      version: 8,
      hash: "d".repeat(64) as Hash,
      shard: "d".repeat(64) as Hash,
      window: 1,
      seed: 2,
      steps: 3,
      batch: 3,
      rates: [0.1, 0.2],
      fresh: true,
      lease: 1_001,
      issued: 5_001,
    };
    for (const [field, value] of Object.entries(other)) {
      const forged = uploadOf({ ...honest, [field]: value });
      await expect(authenticate(forged, sender(), run), field).rejects.toEqual(code("bad-ticket"));
    }
  });

  test("A10: a ticket signed by another key is no ticket", async () => {
    const forged = await signTicket(volunteer.privateKey, terms());
    await expect(authenticate(uploadOf(forged), sender(), run)).rejects.toEqual(code("bad-ticket"));
  });

  test("A10: another's ticket is refused, even with its own nonce", async () => {
    const other = await createIdentity();
    const stolen = uploadOf(await ticket());
    const thief = { volunteer: other.key, nonce: nonceOf(1) };
    await expect(authenticate(stolen, thief, run)).rejects.toEqual(code("not-your-ticket"));
  });

  test("A10: the request's nonce must be the ticket's", async () => {
    const upload = uploadOf(await ticket());
    await expect(authenticate(upload, { ...sender(), nonce: nonceOf(2) }, run)).rejects.toEqual(
      code("bad-ticket"),
    );
  });

  test("A10: a ticket of another run is refused", async () => {
    const upload = uploadOf(await ticket({ run: "f".repeat(64) as RunId }));
    await expect(authenticate(upload, sender(), run)).rejects.toEqual(code("bad-ticket"));
  });

  test("a frame larger than any codec makes is refused before anything is computed on it", async () => {
    const upload = { ...uploadOf(await ticket()), frame: new Uint8Array(FRAME_HEADER_BYTES + 41) };
    await expect(authenticate(upload, sender(), run)).rejects.toEqual(code("too-large"));
  });
});

describe("what is sent", () => {
  const judged = async (changes: Partial<TicketTerms> = {}, at: Partial<Now> = {}, values = deltaOf(1)) =>
    judge(uploadOf(await ticket(changes), values), { ...now, ...at });

  test("A7, A9, the control: an honest delta passes, to the last millisecond of its lease and four versions late", async () => {
    await judged();
    await judged({}, { now: 6_000, version: 11 });
  });

  test.each<[ErrorCode, Partial<TicketTerms>, Partial<Now>]>([
    ["lease-expired", {}, { now: 6_001 }],
    ["stale", {}, { version: 12 }],
    ["future-version", {}, { version: 6 }],
    ["future-version", { version: Number.MAX_SAFE_INTEGER }, {}],
    ["run-finished", {}, { finished: true }],
    ["too-many-requests", {}, { waiting: 2 }],
  ])("A9: %s", async (expected, changes, at) => {
    await expect(judged(changes, at)).rejects.toEqual(code(expected));
  });

  test.each([-1, 1.5, 2 ** 53, Number.NaN, "7", null])(
    "A9: a version %s is no ticket at all",
    async (version) => {
      const json = JSON.parse(JSON.stringify({ ...(await ticket()), version }));
      expect(() => parseTicket(json)).toThrow(code("bad-request"));
    },
  );

  test("A7: NaN and infinity are refused, wherever they stand", async () => {
    const upload = uploadOf(await ticket());
    for (const [at, bits] of [
      [0, 0x7fc0_0000],
      [9, 0x7f80_0000],
      [4, 0xff80_0000],
    ] as const) {
      const frame = upload.frame.slice();
      new DataView(frame.buffer).setUint32(FRAME_HEADER_BYTES + 4 * at, bits, true);
      expect(() => judge({ ...upload, frame }, now)).toThrow(code("not-finite"));
    }
  });

  test("A7: a vector of another length is refused", async () => {
    for (const length of [0, 9, 11]) {
      const frame = encodeFrame(F32, new Float32Array(length));
      const upload = { ...uploadOf(await ticket()), frame };
      expect(() => judge(upload, now)).toThrow(code("wrong-shape"));
    }
  });

  test("A7: bytes that are no frame, and codecs nobody knows, each have their code", async () => {
    const upload = uploadOf(await ticket());
    const changed = (at: number, value: number) => {
      const frame = upload.frame.slice();
      frame[at] = value;
      return { ...upload, frame };
    };
    expect(() => judge(changed(0, 0), now)).toThrow(code("bad-frame"));
    expect(() => judge(changed(4, 9), now)).toThrow(code("unknown-frame"));
    expect(() => judge(changed(5, 99), now)).toThrow(code("unknown-codec"));
    expect(() => judge(upload, { ...now, delta: DENSE4 })).toThrow(code("wrong-codec"));
    expect(() => judge({ ...upload, frame: new Uint8Array() }, now)).toThrow(code("bad-frame"));
  });

  test("A7: a norm beyond what AdamW reaches is refused; at the bound it passes", async () => {
    const signed = await ticket();
    const bound = normBound(signed, 10, now.weightDecay);
    expect(bound).toBeCloseTo(4 * 0.2 * Math.sqrt(10) * 1.1, 10);
    const of = (norm: number) => uploadOf(signed, new Float32Array(10).fill(norm / Math.sqrt(10)));
    judge(of(bound * 0.999), now);
    expect(() => judge(of(bound * 1.001), now)).toThrow(code("norm-too-large"));
    expect(() => judge(of(1e30), now)).toThrow(code("norm-too-large"));
  });
});

test("A7: of a ticket half of which was done, the norm's bound is of that half", async () => {
  const signed = await ticket({ trainFor: 900 });
  const half = { ...REPORT, steps: 1 };
  const bound = normBound({ rates: signed.rates.slice(0, 1) }, 10, now.weightDecay);
  const of = (norm: number) => uploadOf(signed, new Float32Array(10).fill(norm / Math.sqrt(10)));
  judge({ ...of(bound * 0.999), report: half }, now);
  const beyond = of(bound * 1.001);
  expect(() => judge({ ...beyond, report: half }, now)).toThrow(code("norm-too-large"));
  judge({ ...beyond, report: { ...REPORT, steps: 2 } }, now); // the control
});

test("an upload that crosses the wire is judged as it was sent", async () => {
  const signed = await ticket();
  const upload = decodeUpload(encodeUpload(signed, REPORT, encodeFrame(DENSE4, deltaOf(3))));
  await authenticate(upload, sender(), { ...run, delta: DENSE4 });
  judge(upload, { ...now, delta: DENSE4 });
});

test("C9: a packed delta is the frame that it is unpacked to, and of no other codec than its ticket's", async () => {
  const frame = encodeFrame(DENSE2, deltaOf(3));
  const packed = packFrame(frame, 10, DENSE2);
  expect(packed.length).toBeLessThan(frame.length);
  const asked = { ...run, delta: DENSE2 };
  const upload = { ...uploadOf(await ticket()), frame: packed };
  expect(await authenticate(upload, sender(), asked)).toEqual({ frame, delta: await sha256(frame) });
  judge({ ...upload, frame }, { ...now, delta: DENSE2 });
  await expect(authenticate(upload, sender(), { ...run, delta: DENSE4 })).rejects.toEqual(
    code("wrong-codec"),
  );
  const cut = { ...upload, frame: packed.slice(0, -1) };
  await expect(authenticate(cut, sender(), asked)).rejects.toEqual(code("bad-frame"));
  const other = { ...upload, ticket: await ticket({ delta: DENSE4 }) };
  await expect(authenticate(other, sender(), asked)).rejects.toEqual(code("wrong-codec"));
  expect(() => judge(upload, { ...now, delta: DENSE2 }), "the control: unpacked nowhere else").toThrow(
    code("unknown-codec"),
  );
});
