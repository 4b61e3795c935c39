import { createPrivateKey, createPublicKey, sign as signBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { initialWeights } from "../model/contract/init.ts";
import { layoutOf } from "../model/contract/layout.ts";
import { batchesOf } from "../model/data/batches.ts";
import { encodeSafetensors } from "../model/data/safetensors.ts";
import { Random } from "../model/lib/random.ts";
import { bytesOf, concat, toHex } from "../protocol/bytes.ts";
import { canonicalBytes, canonicalJson, type Purpose } from "../protocol/canonical.ts";
import type { CodecSpec } from "../protocol/codec/codec.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { checkFrame, decodeFrame, encodeFrame } from "../protocol/frame.ts";
import { recordHash } from "../protocol/history.ts";
import { type Signer, sha256, sign } from "../protocol/identity.ts";
import type { Hash, ObjectName, RunId, ServerNonce, TicketId, VolunteerKey } from "../protocol/ids.ts";
import type { LinkTerms } from "../protocol/link.ts";
import { packFrame, unpackFrame } from "../protocol/packed-frame.ts";
import { signReceipt } from "../protocol/receipt.ts";
import type { AuditTerms } from "../protocol/shared-audit.ts";
import { signTicket, ticketTokens } from "../protocol/ticket.ts";
import { encodeUpload } from "../protocol/upload.ts";
import { oracleLossAndGradient, oracleState, oracleUpdate } from "./oracle/oracle.ts";

/**
 * Writes protocol/vectors.json (docs/PROTOCOL.md, section 15): what the product signs, frames and draws, for whoever
 * writes another implementation. `node test/make-vectors.ts` writes the file; a test holds it to what is made today, and
 * test/independent computes it again.
 */
export const VECTORS_FILE = join(import.meta.dirname, "../protocol/vectors.json");

export async function makeVectors() {
  const [server, volunteer] = [keyPair(1), keyPair(2)];
  return {
    about: "Test vectors of docs/PROTOCOL.md, section 15. Bytes are in hex; f32 vectors too, little-endian.",
    canonical: CANONICAL.map((value) => ({ value, text: canonicalJson(value) })),
    keys: {
      server: { seed: toHex(server.seed), key: server.key },
      volunteer: { seed: toHex(volunteer.seed), key: volunteer.key },
    },
    signed: await signedThings(server, volunteer),
    random: { draws: SEEDS.map(draws), bounded: BOUNDS.map(bounded) },
    batches: BATCHES.map(batches),
    frames: {
      encoded: CODECS.flatMap(encoded),
      refused: refused(),
      packed: PACKED.map(packedOf),
      packedRefused: packedRefused(),
    },
    initial: await initial(),
    training: training(),
  };
}

const CANONICAL = [
  { b: 1, a: [true, false, null, "x"], "": {} },
  { "\uffff": 1, "\u{10000}": 2, Z: 3, a: 4, é: 5 },
  ['"\\/\b\t\n\f\r\u0001\u001f\u007f\u2028é€\u{1f426}', "\ud800"],
  [0, 1, -1, 0.1, 1e21, 123456789012345680000, 1e-6, 1e-7, 1.5e300, 5e-324, 0.30000000000000004, 1 / 3],
];

interface KeyPair {
  readonly seed: Uint8Array;
  readonly key: VolunteerKey;
  readonly signer: Signer;
}

/** An Ed25519 key pair whose seed is one byte, 32 times. Never use it for anything else. */
function keyPair(byte: number): KeyPair {
  const seed = new Uint8Array(32).fill(byte);
  const prefix = Buffer.from("302e020100300506032b657004220420", "hex"); // RFC 8410 §7
  const privateKey = createPrivateKey({ key: Buffer.concat([prefix, seed]), format: "der", type: "pkcs8" });
  const { x } = createPublicKey(privateKey).export({ format: "jwk" });
  return { seed, key: x as VolunteerKey, signer: (bytes) => signBytes(null, bytes, privateKey) };
}

const RUN = "0f".repeat(32) as RunId;
const TICKET = "AAECAwQFBgcICQoLDA0ODw" as TicketId;
const hashOf = (digit: string) => digit.repeat(64) as Hash;

const SHAPE = { layers: 2, heads: 2, width: 8, context: 8, vocabulary: 32 };
const OPTIMIZER = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 };
const SHARD = Uint16Array.from({ length: 300 }, (_, i) => (i * i + 3 * i + (i >> 3)) % 32);
const DENSE4: CodecSpec = { name: "dense", bits: 4 };

async function ticketOf(server: KeyPair, volunteer: KeyPair) {
  const terms = {
    run: RUN,
    id: TICKET,
    volunteer: volunteer.key,
    version: 7,
    hash: hashOf("a"),
    shard: await sha256(bytesOf(SHARD)),
    window: 30,
    seed: 4_000_000_001,
    steps: 4,
    batch: 2,
    rates: [0.001, 1 / 300, 0.0025, 1e-7],
    fresh: true,
    lease: 120_000,
    issued: 1_234_567,
  };
  return { terms, ticket: await signTicket(server.signer, terms) };
}

async function signedThings(server: KeyPair, volunteer: KeyPair) {
  const one = async (purpose: Purpose, by: KeyPair, value: unknown) => ({
    by: by === server ? "server" : "volunteer",
    value,
    bytes: toHex(canonicalBytes(purpose, value)),
    signature: await sign(by.signer, purpose, value),
  });
  const { terms, ticket } = await ticketOf(server, volunteer);
  const frame = encodeFrame(DENSE4, sample(70));
  const delta = await sha256(frame);
  const about = { run: RUN, ticket: TICKET, volunteer: volunteer.key, delta };
  const receiptTerms = {
    ...about,
    version: 7,
    tokens: ticketTokens(terms, SHAPE.context),
    accepted: 1_300_000,
  };
  const step = { outer: { kind: "muon", rate: 1.3, momentum: 0.3 }, downlink: DENSE4 };
  const merged = [
    {
      ticket: "_____________________w" as TicketId,
      volunteer: server.key,
      delta: hashOf("c"),
      weight: 0.125,
    },
    { ticket: TICKET, volunteer: volunteer.key, delta, weight: 22.627416997969522 },
  ];
  const links = { previous: hashOf("d"), model: hashOf("e"), diff: hashOf("f") };
  const recordTerms = { run: RUN, version: 8, ...links, step, merged };
  const record = { ...recordTerms, signature: await sign(server.signer, "version", recordTerms) };
  const list = {
    run: RUN,
    object: "diffs/7" as ObjectName,
    hash: hashOf("f"),
    length: 70_000,
    size: 65_536,
    chunks: [hashOf("1"), hashOf("2")],
  };
  const { volunteer: auditor, version, hash, shard, window, seed, steps, batch, rates } = terms;
  const auditTerms: AuditTerms = {
    ...{
      run: RUN,
      id: TICKET,
      volunteer: auditor,
      version,
      hash,
      shard,
      window,
      seed,
      steps,
      done: 3,
      batch,
    },
    ...{ rates, fresh: true, delta: DENSE4, frame: delta, bytes: frame.length, other: hashOf("b") },
    ...{ draw: 4_000_000_002, batches: 2, lease: 60_000, issued: 1_310_000 },
  };
  const linkTerms: LinkTerms = {
    ...{ run: RUN, server: server.key, origin: "https://train.example/r/whales" },
    ...{ serverNonce: "EBESExQVFhcYGRobHB0eHw" as ServerNonce, nonce: TICKET },
    ...{ volunteer: server.key, with: volunteer.key }, // any two keys will do
  };
  const report = { loss: 3.25, trainMs: 1_234, device: "plain JavaScript, ×1" };
  return {
    request: await one("request", volunteer, {
      method: "POST",
      path: "/api/tickets",
      body: await sha256(new TextEncoder().encode("{}")),
      nonce: TICKET,
      run: RUN,
      server: server.key,
      origin: "https://train.example",
      serverNonce: "EBESExQVFhcYGRobHB0eHw",
    }),
    ticket: await one("ticket", server, terms),
    receipt: {
      ...(await one("receipt", server, receiptTerms)),
      answer: await signReceipt(server.signer, receiptTerms),
    },
    version: {
      ...(await one("version", server, recordTerms)),
      hash: await recordHash(recordTerms),
      proof: { record, position: 1 },
    },
    chunks: await one("chunks", server, list),
    audit: await one("audit", server, auditTerms),
    link: await one("link", volunteer, linkTerms),
    upload: { ticket, report, frame: toHex(frame), body: toHex(encodeUpload(ticket, report, frame)) },
  };
}

const SEEDS = [0, 1, 42, 2 ** 32 - 1];
function draws(seed: number) {
  const random = new Random(seed);
  return { seed, draws: Array.from({ length: 8 }, () => random.u32()) };
}

/** Bounds of which the last but one rejects nearly every second draw. */
const BOUNDS = [1, 2, 6, 1_000, 2 ** 31 + 1, 2 ** 32];
function bounded(bound: number) {
  const random = new Random(7);
  return { seed: 7, bound, draws: Array.from({ length: 8 }, () => random.below(bound)), next: random.u32() };
}

/** Ranges on a shard: from its middle, over its end, and on a shard that has one window. */
const BATCHES = [
  { tokens: 300, context: 8, range: { window: 3, seed: 1, steps: 3, batch: 2 } },
  { tokens: 300, context: 8, range: { window: 34, seed: 4_000_000_001, steps: 4, batch: 2 } },
  { tokens: 9, context: 8, range: { window: 5, seed: 12, steps: 2, batch: 1 } },
];
function batches({ tokens, context, range }: (typeof BATCHES)[number]) {
  const shard = SHARD.subarray(0, tokens);
  return {
    context,
    range,
    shard: [...shard],
    steps: [...batchesOf(shard, range, context)].map((step) => [...step]),
  };
}

const CODECS: readonly CodecSpec[] = [
  { name: "f32" },
  DENSE4,
  { name: "dense", bits: 2 },
  { name: "dense", bits: 8 },
  { name: "midrise", bits: 1 },
  { name: "midrise", bits: 2 },
  { name: "midrise", bits: 3 },
  { name: "topk", chunk: 64, k: 8, bits: 4 },
  { name: "topk", chunk: 128, k: 25, bits: 2 },
];

/** Values of several sizes, with equal magnitudes and a block of zeros. */
function sample(length: number): Float32Array<ArrayBuffer> {
  const random = new Random(99);
  return Float32Array.from({ length }, (_, i) => {
    const value = (random.unit() - 0.5) * 2 ** -(i % 7);
    return i >= 64 && i < 128 ? 0 : i % 10 === 0 ? 0.25 : value;
  });
}

/** 150 values leave last blocks and chunks short: one of `topk` has fewer values than k. */
const encoded = (codec: CodecSpec) =>
  [sample(150), sample(5).map((value) => value * 2 ** -110)].map((values) => {
    const frame = encodeFrame(codec, values);
    return {
      codec,
      values: hexOf(values),
      frame: toHex(frame),
      decoded: hexOf(decodeFrame(frame, values.length)),
    };
  });

/**
 * Codecs whose frames may be packed, and the values of each: last chunks and blocks are short, one chunk's places take the fewest
 * bits as they are, and one frame has no fewer bytes packed.
 */
const PACKED: readonly (readonly [CodecSpec, Float32Array<ArrayBuffer>])[] = [
  [{ name: "dense", bits: 2 }, sample(150)],
  [{ name: "topk", chunk: 64, k: 8, bits: 4 }, sample(150)],
  [{ name: "topk", chunk: 128, k: 25, bits: 2 }, sample(300)],
  [{ name: "topk", chunk: 64, k: 2, bits: 2 }, Float32Array.from({ length: 512 }, atEnds)],
  [{ name: "topk", chunk: 64, k: 64, bits: 8 }, sample(70)],
  [{ name: "topk", chunk: 64, k: 1, bits: 8 }, sample(150)],
];

/** Large in the first two places of each chunk, but of the fourth in the last two. */
function atEnds(_: unknown, i: number): number {
  const place = i >> 6 === 3 ? 63 - (i & 63) : i & 63;
  return place < 2 ? place - 0.5 : 2 ** -9;
}

function packedOf([codec, values]: (typeof PACKED)[number]) {
  const count = values.length;
  const frame = encodeFrame(codec, values);
  return { codec, count, frame: toHex(frame), packed: toHex(packFrame(frame, count, codec)) };
}

/** Packed frames that a server refuses where a codec is asked for, each with its code. */
function packedRefused() {
  const [dense, sparse]: CodecSpec[] = [
    { name: "dense", bits: 2 },
    { name: "topk", chunk: 64, k: 8, bits: 4 },
  ];
  const pack = (codec: CodecSpec) => packFrame(encodeFrame(codec, sample(150)), 150, codec);
  const [trits, rice] = [pack(dense!), pack(sparse!)];
  // Of top-k: a header of 16 bytes and one of 8, 3 scales, 2 bytes of parameters, 12 of codes, then the places.
  const changes: readonly (readonly [string, CodecSpec, Uint8Array, number, readonly number[]])[] = [
    ["another count", dense!, trits, 8, [151]],
    ["another length of payload", dense!, trits, 12, [0]],
    ["another codec than is asked for", dense!, rice, 0, []],
    ["another k than is asked for", sparse!, rice, 18, [9]],
    ["bytes that are zero", sparse!, rice, 6, [1]],
    ["another magic", sparse!, rice, 0, [0]],
    ["a byte that is no five digits", dense!, trits, 22, [243]],
    ["a parameter that is as large as places", sparse!, rice, 30, [0x66]],
    ["a parameter of a chunk that there is not", sparse!, rice, 31, [rice[31]! | 0x10]],
    ["a place beyond its chunk", sparse!, rice, 44, [0, 0, 0, 0]],
    ["more behind the last place", sparse!, rice, rice.length - 1, [0xff]],
    ["a scale that is infinite", sparse!, rice, 24, [0x80, 0x7f]],
  ];
  return changes.map(([what, codec, from, at, bytes]) => {
    const packed = concat(from.subarray(0, at), Uint8Array.from(bytes), from.subarray(at + bytes.length));
    const code = codeOf(() => checkFrame(unpackFrame(packed, 150, codec), 150, codec));
    return { what, codec, count: 150, packed: toHex(packed), code };
  });
}

const hexOf = (values: Float32Array<ArrayBuffer>) => toHex(bytesOf(values));

/** Frames of 70 values that a reader refuses, each with its code. */
function refused() {
  const dense = encodeFrame(DENSE4, sample(70));
  const odd = encodeFrame(DENSE4, sample(69));
  const few = encodeFrame({ name: "midrise", bits: 3 }, sample(70));
  const sparse = encodeFrame({ name: "topk", chunk: 64, k: 8, bits: 4 }, sample(70));
  const changes: readonly (readonly [string, Uint8Array, number, readonly number[]])[] = [
    ["another magic", dense, 0, [0]],
    ["version 0", dense, 4, [0]],
    ["a later version", dense, 4, [2]],
    ["a codec nobody knows", dense, 5, [99]],
    ["a packed codec, where none is sent", dense, 5, [7]],
    ["bytes that are zero", dense, 6, [1]],
    ["another count", dense, 8, [71]],
    ["another length of payload", dense, 12, [0]],
    ["a negative scale", dense, 17, [0xbf]],
    ["a scale of −0", dense, 17, [0x80]],
    ["a scale that is infinite", dense, 16, [0x80, 0x7f]],
    ["a scale that overflows", dense, 16, [0x7f, 0x7f]],
    ["the code −8", dense, 20, [0x88]],
    ["codes behind a scale of zero", dense, 16, [0, 0]],
    ["padding that is not zero", odd, odd.length - 1, [odd.at(-1)! | 0x10]],
    ["a mid-rise scale that overflows", few, 16, [0x7f, 0x7f]],
    ["mid-rise codes behind a scale of zero", few, 16, [0, 0]],
    ["mid-rise padding that is not zero", few, few.length - 1, [few.at(-1)! | 0x80]],
    ["top-k of a chunk that is no power of two", sparse, 16, [65]],
    ["top-k of none", sparse, 18, [0]],
    ["a place that comes twice", sparse, 28, [sparse[28]! & 0x3f, sparse[29]! & 0xf0]],
  ];
  return changes.map(([what, from, at, bytes]) => {
    const frame = concat(from.subarray(0, at), Uint8Array.from(bytes), from.subarray(at + bytes.length));
    const count = from === odd ? 69 : 70;
    return { what, count, frame: toHex(frame), code: codeOf(() => decodeFrame(frame, count)) };
  });
}

function codeOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
  throw new Error("a frame that should be refused was not");
}

async function initial() {
  const layout = layoutOf(SHAPE);
  const weights = initialWeights(SHAPE, 5);
  const file = encodeSafetensors(layout, weights);
  return {
    shape: SHAPE,
    seed: 5,
    parameters: layout.length,
    tensors: layout.tensors.map(({ name, shape, offset }) => ({ name, shape, offset })),
    weights: hexOf(weights),
    head: toHex(file.subarray(0, file.length - 4 * layout.length)),
    hash: await sha256(file),
  };
}

/** A fresh ticket's steps in doubles, from version 0 of `initial`. Numbers have ten digits. */
function training() {
  const range = { window: 30, seed: 4_000_000_001, steps: 6, batch: 2 };
  const rates = Array.from({ length: range.steps }, (_, step) => 0.001 * (step + 1));
  const layout = layoutOf(SHAPE);
  const loaded = initialWeights(SHAPE, 5);
  const state = oracleState(loaded);
  const steps = [...batchesOf(SHARD, range, SHAPE.context)].map((tokens, step) => {
    const { loss, gradient } = oracleLossAndGradient(SHAPE, state.weights, tokens, range.batch);
    oracleUpdate(layout, state, OPTIMIZER, gradient, rates[step]!);
    const norm = Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0));
    const weights = Array.from({ length: 12 }, (_, i) => digits(state.weights[i * 173]!));
    return { loss: digits(loss), norm: digits(norm), weights };
  });
  const delta = loaded.map((value, i) => value - Math.fround(state.weights[i]!));
  return {
    optimizer: OPTIMIZER,
    shard: [...SHARD],
    range,
    rates,
    every: 173,
    steps,
    frame: toHex(encodeFrame(DENSE4, delta)),
  };
}

/** Ten significant digits: the last bits of exp and tanh differ between engines. */
const digits = (value: number): number => Number(value.toPrecision(10));

/** Characters of a line, about: what is longer and has parts is written part by part. */
const MAX_LINE = 120;

/** The file's text: short things in a line each, so that a change of one is readable. */
export function textOf(value: unknown, indent = "\n"): string {
  const text = JSON.stringify(value);
  if (text.length <= MAX_LINE || typeof value !== "object" || value === null || isFlat(value)) return text;
  const inner = `${indent} `;
  const parts = Array.isArray(value)
    ? value.map((one) => textOf(one, inner))
    : Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${textOf(one, inner)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  return `${open}${parts.map((part) => inner + part).join(",")}${indent}${close}`;
}

const isFlat = (value: object): boolean =>
  Array.isArray(value) && value.every((one) => typeof one !== "object" || one === null);

export const readVectors = (): string => readFileSync(VECTORS_FILE, "utf8");

if (import.meta.main) writeFileSync(VECTORS_FILE, `${textOf(await makeVectors())}\n`);
