import { BitReader, bytesFor } from "./codec/bits.ts";
import { type CodecSpec, sameCodec } from "./codec/codec.ts";
import { sectionsOf } from "./codec/parts.ts";
import { BitSink, BitSource, bestParameter, PAIR_BITS, PARAMETER_BITS, PLAIN } from "./codec/rice.ts";
import { entriesOf, HEADER_BYTES, placeBits, readTopK, type TopK } from "./codec/topk.ts";
import { packTrits, tritBytes, unpackTrits } from "./codec/trits.ts";
import { ProtocolError } from "./errors.ts";
import { FRAME_HEADER_BYTES } from "./frame.ts";

/**
 * Deltas in fewer bytes, for their way to the server (rule C9). A packed frame says what a frame says, without loss, and is
 * unpacked before anything looks at it: what is hashed, kept and merged is the frame. Top-k has its places in Rice's code
 * and codes of two bits as trits, `dense` in two bits its codes as trits.
 */

/** Where a header has the frame's version, the codec's number and the payload's length. */
const [VERSION_AT, CODEC_AT, PAYLOAD_AT] = [4, 5, 12];
const VERSION = 1;
const ids = { topk: { plain: 4, packed: 7 }, dense: { plain: 2, packed: 8 } } as const;

const DENSE2 = { name: "dense", bits: 2 } as const;

type Packable = TopK | Extract<CodecSpec, { name: "dense" }>;

/** Whether frames of a codec can be packed. */
export const isPackable = (spec: CodecSpec): spec is Packable =>
  spec.name === "topk" || (spec.name === "dense" && spec.bits === 2);

/** A frame of `length` values in a codec in as few bytes as there are: packed, or itself where that has no fewer. */
export function packFrame(
  frame: Uint8Array<ArrayBuffer>,
  length: number,
  spec: CodecSpec,
): Uint8Array<ArrayBuffer> {
  if (!isPackable(spec)) return frame;
  const payload = frame.subarray(FRAME_HEADER_BYTES);
  const sections = spec.name === "topk" ? packTopK(spec, payload, length) : packDense(payload, length);
  const bytes = sections.reduce((sum, section) => sum + section.length, FRAME_HEADER_BYTES);
  if (bytes >= frame.length) return frame;
  const result = new Uint8Array(bytes);
  writeHeader(result, frame, ids[spec.name].packed);
  let at = FRAME_HEADER_BYTES;
  for (const section of sections) {
    result.set(section, at);
    at += section.length;
  }
  return result;
}

/**
 * The frame of `length` values that a stranger's bytes are, where they are packed; anything else is given back as it is, for
 * {@link checkFrame} to look at. Where the run asks for another codec nothing is allocated. Throws `wrong-shape`,
 * `wrong-codec`, `bad-frame`.
 */
export function unpackFrame(
  frame: Uint8Array<ArrayBuffer>,
  length: number,
  wanted: CodecSpec,
): Uint8Array<ArrayBuffer> {
  const id = frame[CODEC_AT];
  const name = id === ids.topk.packed ? "topk" : id === ids.dense.packed ? "dense" : undefined;
  if (frame.length < FRAME_HEADER_BYTES || frame[VERSION_AT] !== VERSION || name === undefined) return frame;
  const header = new DataView(frame.buffer, frame.byteOffset, FRAME_HEADER_BYTES);
  const payload = frame.subarray(FRAME_HEADER_BYTES);
  if (header.getUint32(8, true) !== length) throw new ProtocolError("wrong-shape", "another count of values");
  if (header.getUint32(PAYLOAD_AT, true) !== payload.length) throw misfit();
  const spec = name === "topk" ? readTopK(payload) : DENSE2;
  if (!sameCodec(spec, wanted))
    throw new ProtocolError("wrong-codec", `this run takes ${JSON.stringify(wanted)}`);
  const size = sectionsOf(spec, length).reduce(
    (sum, bytes) => sum + bytes,
    name === "topk" ? HEADER_BYTES : 0,
  );
  const result = new Uint8Array(FRAME_HEADER_BYTES + size);
  writeHeader(result, frame, ids[name].plain);
  const plain = result.subarray(FRAME_HEADER_BYTES);
  if (spec.name === "topk") unpackTopK(spec, payload, plain, length);
  else unpackDense(payload, plain, length);
  return result;
}

/** The header of `from`, with a codec's number and the length of what follows it in `into`. */
function writeHeader(into: Uint8Array, from: Uint8Array, id: number): void {
  into.set(from.subarray(0, FRAME_HEADER_BYTES));
  into[CODEC_AT] = id;
  new DataView(into.buffer).setUint32(PAYLOAD_AT, into.length - FRAME_HEADER_BYTES, true);
}

const misfit = () => new ProtocolError("bad-frame", "the packed payload has another length, or padding");

/** Scales as they are, and the codes as trits. */
function packDense(payload: Uint8Array, length: number): Uint8Array[] {
  const [scales = 0] = sectionsOf(DENSE2, length);
  return [payload.subarray(0, scales), tritsOf(payload.subarray(scales), length)];
}

function unpackDense(payload: Uint8Array, plain: Uint8Array, length: number): void {
  const [scales = 0] = sectionsOf(DENSE2, length);
  if (payload.length !== scales + tritBytes(length)) throw misfit();
  plain.set(payload.subarray(0, scales));
  unpackTrits(payload.subarray(scales), length, plain.subarray(scales));
}

function tritsOf(codes: Uint8Array, count: number): Uint8Array {
  const trits = new Uint8Array(tritBytes(count));
  packTrits(codes, count, trits);
  return trits;
}

/** Where the sections of a frame's payload of top-k begin, and of a packed one: scales, parameters, codes, places. */
function layoutOf(spec: TopK, length: number) {
  const [scales = 0, places = 0, codes = 0] = sectionsOf(spec, length);
  const entries = entriesOf(spec, length);
  const parameters = HEADER_BYTES + scales;
  const packedCodes = parameters + bytesFor(scales / 2, PARAMETER_BITS);
  return {
    entries,
    plain: { places: parameters, codes: parameters + places },
    packed: {
      ...{ parameters, codes: packedCodes },
      places: packedCodes + (spec.bits === 2 ? tritBytes(entries) : codes),
    },
  };
}

/** Header and scales as they are, each chunk's parameter, the codes, and the places in Rice's code. */
function packTopK(spec: TopK, payload: Uint8Array, length: number): Uint8Array[] {
  const { chunk, k, bits } = spec;
  const { entries, plain } = layoutOf(spec, length);
  const width = placeBits(chunk);
  const chunks = Math.ceil(length / chunk);
  const parameters = new Uint8Array(bytesFor(chunks, PARAMETER_BITS));
  const source = new BitReader(payload, plain.places, width);
  const places = Uint16Array.from({ length: entries }, () => source.next());
  const placesOf = (n: number) => places.subarray(n * k, Math.min((n + 1) * k, entries));
  let size = 0;
  for (let n = 0; n < chunks; n++) {
    const [parameter, taken] = bestParameter(placesOf(n), width);
    parameters[n >> 1]! |= parameter << (PARAMETER_BITS * (n & 1));
    size += taken;
  }
  const coded = new Uint8Array(Math.ceil(size / 8));
  const sink = new BitSink(coded);
  for (let n = 0; n < chunks; n++) {
    const parameter = parameterOf(parameters, n);
    let last = -1;
    for (const place of placesOf(n)) {
      if (parameter === PLAIN) sink.put(place, width);
      else sink.putGap(place - last - 1, parameter);
      last = place;
    }
  }
  sink.end();
  const codes = payload.subarray(plain.codes);
  return [payload.subarray(0, plain.places), parameters, bits === 2 ? tritsOf(codes, entries) : codes, coded];
}

const parameterOf = (parameters: Uint8Array, n: number): number =>
  (parameters[n >> 1]! >>> (PARAMETER_BITS * (n & 1))) & PLAIN;

/** Reads a stranger's bytes. Whether places ascend and codes are an encoder's, {@link checkFrame} looks. Throws `bad-frame`. */
function unpackTopK(spec: TopK, payload: Uint8Array, result: Uint8Array, length: number): void {
  const { chunk, k, bits } = spec;
  const { entries, plain, packed } = layoutOf(spec, length);
  if (payload.length < packed.places) throw misfit();
  result.set(payload.subarray(0, packed.parameters));
  const parameters = payload.subarray(packed.parameters, packed.codes);
  const codes = payload.subarray(packed.codes, packed.places);
  if (bits === 2) unpackTrits(codes, entries, result.subarray(plain.codes));
  else result.set(codes, plain.codes);
  const width = placeBits(chunk);
  const source = new BitSource(payload.subarray(packed.places));
  const places = new BitSink(result.subarray(plain.places, plain.codes));
  const chunks = Math.ceil(length / chunk);
  const into = new Uint16Array(k);
  const inPairs = width === PAIR_BITS && k % 2 === 0;
  for (let n = 0, start = 0; n < chunks; n++, start += chunk) {
    const parameter = parameterOf(parameters, n);
    if (parameter >= width && parameter !== PLAIN)
      throw new ProtocolError("bad-frame", `there is no parameter ${parameter}`);
    const size = Math.min(chunk, length - start);
    if (inPairs && size >= k && parameter !== PLAIN) {
      places.putPairs(source, k, parameter, size);
      continue;
    }
    const taken = size < k ? into.subarray(0, size) : into;
    if (parameter !== PLAIN) source.takePlaces(taken, parameter, size);
    else for (let i = 0; i < taken.length; i++) taken[i] = source.take(width);
    places.putAll(taken, width);
  }
  places.end();
  source.requireEnd();
  if (chunks % 2 === 1 && parameters.at(-1)! >>> PARAMETER_BITS !== 0) throw misfit();
}
