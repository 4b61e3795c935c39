import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { concat, fromBase64Url, toBase64Url, toFloats, toHex, toTokens, utf8 } from "./bytes.ts";
import { canonicalBytes, canonicalJson } from "./canonical.ts";
import { ProtocolError } from "./errors.ts";
import { parseEvent } from "./events.ts";
import { parseJson } from "./guards.ts";
import { createIdentity, type Identity, sha256, sign, verify, WEB_CHECKS } from "./identity.ts";
import { isHash, isTicketId, type RunId, type ServerNonce, type Signature, type TicketId } from "./ids.ts";
import { MAX_LOSS } from "./limits.ts";
import { parseManifest, parseOptimizer } from "./manifest.ts";
import { parseReceipt, signReceipt, verifyReceipt } from "./receipt.ts";
import { type Recipient, signRequest, verifyRequest } from "./request.ts";
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

async function codeOf(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
  return "accepted";
}

describe("bytes", () => {
  it("text forms are inverses, and alignment does not matter", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect([...fromBase64Url(toBase64Url(new Uint8Array(bytes)))]).toEqual([...bytes]);
        expect(toHex(new Uint8Array(bytes))).toBe(Buffer.from(bytes).toString("hex"));
      }),
    );
    const odd = concat(new Uint8Array(1), new Uint8Array(Float32Array.of(1.5, -2).buffer)).subarray(1);
    expect([...toFloats(odd)]).toEqual([1.5, -2]);
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

describe("signed requests", () => {
  const body = utf8("{}");
  const nonce = toBase64Url(new Uint8Array(16).fill(9)) as TicketId;

  let to: Recipient;
  beforeAll(() => {
    const serverNonce = toBase64Url(new Uint8Array(16).fill(4)) as ServerNonce;
    to = { run: "c".repeat(64) as RunId, server: server.key, origin: "https://train.example", serverNonce };
  });
  const asked = { method: "POST", path: "/api/tickets", body };

  it("S2, A10: bind method, path, body and nonce; any flipped bit is refused", async () => {
    const headers = await signRequest(volunteer, asked, nonce, to);
    const check = (h: Record<string, string>, method = "POST", path = "/api/tickets", sent = body) =>
      codeOf(() => verifyRequest((name) => h[name], { method, path, body: sent }, server.key));
    expect(await check(headers)).toBe("accepted");
    expect(await check(headers, "PUT")).toBe("bad-signature");
    expect(await check(headers, "POST", "/api/deltas")).toBe("bad-signature");
    expect(await check(headers, "POST", "/api/tickets", utf8("{ }"))).toBe("bad-signature");
    expect(await check({})).toBe("bad-signature");
    expect(await check({ ...headers, "murmuration-key": server.key })).toBe("bad-signature");
    for (let bit = 0; bit < 64 * 8; bit += 37) {
      const bytes = fromBase64Url(headers["murmuration-signature"]!);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      expect(await check({ ...headers, "murmuration-signature": toBase64Url(bytes) })).toBe("bad-signature");
    }
  });

  it("A10: are refused where their key, nonce or signature is in another spelling of the same bytes", async () => {
    const headers = await signRequest(volunteer, asked, nonce, to);
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (const name of ["murmuration-key", "murmuration-nonce", "murmuration-signature"] as const) {
      const text = headers[name]!;
      const spellings = [...alphabet]
        .map((last) => text.slice(0, -1) + last)
        .filter((other) => toHex(fromBase64Url(other)) === toHex(fromBase64Url(text)));
      expect(spellings.length).toBeGreaterThanOrEqual(4); // the control: there are others
      const taken: string[] = [];
      for (const spelling of spellings) {
        // Signed anew, so that nothing but the spelling can be refused.
        const other = name === "murmuration-nonce" ? (spelling as TicketId) : nonce;
        const sent: Record<string, string> = {
          ...(await signRequest(volunteer, asked, other, to)),
          [name]: spelling,
        };
        const code = await codeOf(() => verifyRequest((one) => sent[one], asked, server.key));
        if (code === "accepted") taken.push(spelling);
        else expect(code).toBe("bad-signature");
      }
      expect(taken).toEqual([text]);
    }
  });

  it("S2: are signed over these very bytes", async () => {
    const headers = await signRequest(volunteer, asked, nonce, to);
    const bytes = utf8(
      `murmuration-request-v2\n{"body":"${await sha256(body)}","method":"POST","nonce":"${nonce}",` +
        `"origin":"https://train.example","path":"/api/tickets","run":"${to.run}","server":"${server.key}",` +
        `"serverNonce":"${to.serverNonce}"}`,
    );
    expect(await WEB_CHECKS.verify(volunteer.key, bytes, headers["murmuration-signature"] as Signature)).toBe(
      true,
    );
  });

  it("S2: name the run, the server, the address it was reached by and its nonce: another of each is refused", async () => {
    const headers = await signRequest(volunteer, asked, nonce, to);
    const check = (changes: Record<string, string>, key = server.key) => {
      const sent: Record<string, string> = { ...headers, ...changes };
      return codeOf(() => verifyRequest((name) => sent[name], asked, key));
    };
    expect(await check({})).toBe("accepted");
    expect(await check({}, volunteer.key)).toBe("bad-signature");
    expect(await check({ "murmuration-run": "d".repeat(64) })).toBe("bad-signature");
    expect(await check({ "murmuration-origin": "https://train.example:444" })).toBe("bad-signature");
    expect(await check({ "murmuration-server-nonce": nonce })).toBe("bad-signature");
    for (const malformed of [
      "",
      "train.example",
      "https://Train.example",
      "https://train.example/",
      "ftp://a",
    ]) {
      const signed = await signRequest(volunteer, asked, nonce, { ...to, origin: malformed });
      expect(await check(signed), malformed).toBe("bad-signature");
    }
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

  it("D1: of a ticket that says for how long to train, the steps that were done are told, and counted", async () => {
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
    expect(parseOptimizer({ ...adamW, inner: "muon" })).toEqual({ ...adamW, inner: "muon" });
    expect(await codeOf(() => parseOptimizer({ ...adamW, inner: "sgd" }))).toBe("bad-request");
    expect(Object.keys(parseOptimizer(adamW))).toEqual(Object.keys(adamW));
  });

  it("E1: an event of a type unknown here is skipped, a malformed one refused", async () => {
    expect(parseEvent({ type: "fanfare" })).toBeUndefined();
    expect(parseEvent({ type: "state", state: "paused" })).toEqual({ type: "state", state: "paused" });
    expect(await codeOf(() => parseEvent({ type: "version", version: -1 }))).toBe("bad-request");
    const evaluation = { type: "evaluation", version: 1, tokens: 2, loss: MAX_LOSS, sample: "" } as const;
    expect(parseEvent(evaluation)).toEqual(evaluation);
    expect(await codeOf(() => parseEvent({ ...evaluation, loss: MAX_LOSS * 1.1 }))).toBe("bad-request");
  });

  it("ids are exact: case, length and alphabet", () => {
    expect(isHash("A".repeat(64))).toBe(false);
    expect(isHash("a".repeat(64))).toBe(true);
    expect(isHash(`${"a".repeat(64)}\n`)).toBe(false);
    expect(isTicketId("../../../etc/passwd.aa")).toBe(false);
  });
});
