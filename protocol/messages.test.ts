import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { codeOf } from "../test/harness/code-of.ts";
import { concat, fromBase64Url, toBase64Url, toHex, toTokens, utf8 } from "./bytes.ts";
import { canonicalBytes, canonicalJson } from "./canonical.ts";
import { parseEvent } from "./events.ts";
import { parseJson } from "./guards.ts";
import { createIdentity, type Identity, sha256, sign, verify } from "./identity.ts";
import { isHash, isTicketId, type RunId, type TicketId } from "./ids.ts";
import { MAX_LOSS } from "./limits.ts";
import { optimizer, parseManifest } from "./manifest.ts";
import { parseReceipt, signReceipt, verifyReceipt } from "./receipt.ts";
import {
  donePart,
  parseTicket,
  signTicket,
  type Ticket,
  type TicketTerms,
  ticketTokens,
  verifyTicket,
} from "./ticket.ts";
import { decodeUpload, encodeUpload, stepsDone, uploadTokens } from "./upload.ts";

let server: Identity;
let volunteer: Identity;
let terms: TicketTerms;
let ticket: Ticket;

beforeAll(async () => {
  server = await createIdentity();
  volunteer = await createIdentity();
  const hash = await sha256(utf8("text"));
  terms = {
    run: hash as string as RunId,
    id: toBase64Url(new Uint8Array(16)) as TicketId,
    volunteer: volunteer.key,
    version: 3,
    hash,
    shard: hash,
    window: 12,
    seed: 7,
    steps: 2,
    batch: 4,
    rates: [0.001, 0.0009],
    fresh: false,
    lease: 60_000,
    issued: 1_234,
  };
  ticket = await signTicket(server.privateKey, terms);
});

describe("bytes", () => {
  it("text forms are inverses, and alignment does not matter", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect([...fromBase64Url(toBase64Url(new Uint8Array(bytes)))]).toEqual([...bytes]);
        expect(toHex(new Uint8Array(bytes))).toBe(Buffer.from(bytes).toString("hex"));
      }),
    );
    const odd = concat(new Uint8Array(1), new Uint8Array(Float32Array.of(1.5, -2).buffer)).subarray(1);
    expect([...toTokens(odd.subarray(2, 4))]).toEqual([0x3fc0]);
  });
});

describe("canonical bytes", () => {
  it("S1: do not depend on the order of keys, and leave out what is undefined", () => {
    expect(canonicalJson({ b: 1, a: [{ d: "é", c: undefined }] })).toBe('{"a":[{"d":"é"}],"b":1}');
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(reversed)).toBe(canonicalJson(value));
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
    expect(() => canonicalJson({ a: Number.NaN })).toThrow(TypeError);
  });

  it("S1: name their purpose, so that a ticket's signature fits no receipt", async () => {
    const signature = await sign(server.privateKey, "ticket", { a: 1 });
    expect(await verify(server.key, "ticket", { a: 1 }, signature)).toBe(true);
    expect(await verify(server.key, "receipt", { a: 1 }, signature)).toBe(false);
    expect(canonicalBytes("ticket", 1)).not.toEqual(canonicalBytes("receipt", 1));
  });
});

describe("tickets and receipts", () => {
  it("T1: a ticket survives JSON, and a change to any field breaks the signature", async () => {
    const read = parseTicket(parseJson(utf8(JSON.stringify(ticket))));
    expect(read).toEqual(ticket);
    expect(await verifyTicket(server.key, read)).toBe(true);
    for (const [field, value] of Object.entries(terms)) {
      const other =
        typeof value === "number"
          ? value + 1
          : typeof value === "boolean"
            ? !value
            : Array.isArray(value)
              ? [0, 0]
              : "x";
      expect(await verifyTicket(server.key, { ...ticket, [field]: other }), field).toBe(false);
    }
    expect(await verifyTicket(volunteer.key, ticket)).toBe(false);
  });

  it("T2: tokens are counted from the terms", () => {
    expect(ticketTokens(terms, 128)).toBe(2 * 4 * 128);
  });

  it("T1: a malformed ticket is refused field by field", async () => {
    const wrong = {
      version: -1,
      steps: 0,
      batch: 1.5,
      rates: [1],
      seed: 2 ** 32,
      id: "short",
      fresh: 1,
      lease: 0,
    };
    for (const [field, value] of Object.entries(wrong)) {
      expect(await codeOf(() => parseTicket({ ...ticket, [field]: value })), field).toBe("bad-request");
      expect(await codeOf(() => parseTicket({ ...ticket, [field]: undefined })), field).toBe("bad-request");
    }
  });

  it("R1: a receipt is the server's, and the same terms give the same bytes", async () => {
    const { run, hash, volunteer: who } = terms;
    const accepted = {
      run,
      ticket: terms.id,
      volunteer: who,
      delta: hash,
      version: 3,
      tokens: 1_024,
      accepted: 5,
    };
    const receipt = await signReceipt(server.privateKey, accepted);
    expect(await signReceipt(server.privateKey, accepted)).toEqual(receipt);
    expect(parseReceipt(parseJson(utf8(JSON.stringify(receipt))))).toEqual(receipt);
    expect(await verifyReceipt(server.key, receipt)).toBe(true);
    expect(await verifyReceipt(server.key, { ...receipt, tokens: 2_048 })).toBe(false);
  });
});

describe("uploads", () => {
  const report = { loss: 4.2, trainMs: 900, device: "wasm" };

  it("D1: decode what encode wrote, and leave the frame alone", () => {
    const upload = decodeUpload(encodeUpload(ticket, report, Uint8Array.of(1, 2, 3)));
    expect(upload).toEqual({ ticket, report, frame: Uint8Array.of(1, 2, 3) });
  });

  it("D1: a lying envelope length, cut body or wrong report is refused", async () => {
    const body = encodeUpload(ticket, report, Uint8Array.of(1, 2, 3));
    expect(await codeOf(() => decodeUpload(body.subarray(0, 3)))).toBe("bad-frame");
    expect(await codeOf(() => decodeUpload(body.subarray(0, 40)))).toBe("bad-frame");
    const lying = body.slice();
    new DataView(lying.buffer).setUint32(0, 0xffff_ffff, true);
    expect(await codeOf(() => decodeUpload(lying))).toBe("bad-frame");
    for (const bad of [
      { loss: -1 },
      { loss: MAX_LOSS * 1.1 },
      { trainMs: 0.5 },
      { device: "x".repeat(81) },
    ]) {
      const wrong = encodeUpload(ticket, { ...report, ...bad }, new Uint8Array());
      expect(await codeOf(() => decodeUpload(wrong))).toBe("bad-request");
    }
  });

  it("D1: of a ticket with a time limit, the steps done are reported and counted", async () => {
    const timed = await signTicket(server.privateKey, { ...terms, trainFor: 900 });
    expect(await verifyTicket(server.key, timed)).toBe(true);
    expect(await verifyTicket(server.key, { ...timed, trainFor: 901 })).toBe(false);
    const told = (steps: unknown) =>
      decodeUpload(encodeUpload(timed, { ...report, steps: steps as number }, new Uint8Array()));
    expect(uploadTokens(told(1), 128)).toBe(4 * 128);
    expect(uploadTokens(told(2), 128)).toBe(ticketTokens(terms, 128));
    for (const steps of [0, 3, 1.5, -1, "1", undefined, null])
      expect(await codeOf(() => told(steps))).toBe("bad-request");
    const untimed = decodeUpload(encodeUpload(ticket, { ...report, steps: 1 }, new Uint8Array()));
    expect(stepsDone(untimed), "of any other ticket all are").toBe(2);
    expect(untimed.report).toEqual(report);
    expect(donePart(terms, 1)).toEqual({ ...terms, steps: 1, rates: [0.001] });
    for (const trainFor of [-1, 0.5, 86_400_001, "900", null])
      expect(await codeOf(() => parseTicket({ ...timed, trainFor }))).toBe("bad-request");
  });

  it("D1: no byte string crashes the decoder", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        expect(["bad-frame", "bad-json", "bad-request"]).toContain(
          await codeOf(() => decodeUpload(new Uint8Array(bytes))),
        );
      }),
    );
  });
});

describe("guards", () => {
  it("P1: JSON that is not UTF-8, not JSON or not an object is bad-json or bad-request", async () => {
    expect(await codeOf(() => parseJson(Uint8Array.of(0xff, 0xfe)))).toBe("bad-json");
    expect(await codeOf(() => parseJson(utf8("{")))).toBe("bad-json");
    expect(await codeOf(() => parseJson(utf8("[]")))).toBe("bad-request");
  });

  it("V1: a manifest of another protocol version is a mismatch, before anything else is read", async () => {
    expect(await codeOf(() => parseManifest({ protocol: 1 }))).toBe("protocol-mismatch");
    expect(await codeOf(() => parseManifest({ protocol: 2 }))).toBe("bad-request");
  });

  it("M1: an optimizer with Muon inside is read, an unknown one refused; control: what says nothing gets nothing", async () => {
    const adamW = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 };
    expect(optimizer({ ...adamW, inner: "muon" }, "optimizer")).toEqual({ ...adamW, inner: "muon" });
    expect(await codeOf(() => optimizer({ ...adamW, inner: "sgd" }, "optimizer"))).toBe("bad-request");
    expect(Object.keys(optimizer(adamW, "optimizer"))).toEqual(Object.keys(adamW));
  });

  it("E1: an event of a type unknown here is skipped, a malformed one refused", async () => {
    expect(parseEvent({ type: "fanfare" })).toBeUndefined();
    expect(parseEvent({ type: "state", state: "paused" })).toEqual({ type: "state", state: "paused" });
    expect(await codeOf(() => parseEvent({ type: "version", version: -1 }))).toBe("bad-request");
    const evaluation = { type: "evaluation", version: 1, tokens: 2, loss: MAX_LOSS, sample: "" } as const;
    expect(parseEvent(evaluation)).toEqual(evaluation);
    expect(await codeOf(() => parseEvent({ ...evaluation, loss: MAX_LOSS * 1.1 }))).toBe("bad-request");
    expect(parseEvent({ ...evaluation, right: 7 })).toEqual({ ...evaluation, right: 7 });
    expect(await codeOf(() => parseEvent({ ...evaluation, right: -1 }))).toBe("bad-request");
    const written = ["on", "and on"];
    expect(parseEvent({ ...evaluation, written })).toEqual({ ...evaluation, written });
    for (const wrong of ["on", [7], ["x".repeat(301)], Array(5).fill("")]) {
      expect(await codeOf(() => parseEvent({ ...evaluation, written: wrong }))).toBe("bad-request");
    }
  });

  it("ids are exact: case, length and alphabet", () => {
    expect(isHash("A".repeat(64))).toBe(false);
    expect(isHash("a".repeat(64))).toBe(true);
    expect(isHash(`${"a".repeat(64)}\n`)).toBe(false);
    expect(isTicketId("../../../etc/passwd.aa")).toBe(false);
  });
});
