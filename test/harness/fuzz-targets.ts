import { decodeMessage, encodeMessage } from "../../client/p2p/messages.ts";
import { layoutOf } from "../../model/contract/layout.ts";
import { decodeSafetensors, encodeSafetensors } from "../../model/data/safetensors.ts";
import { loadTokenizer } from "../../model/data/tokenizer.ts";
import { concat, utf8 } from "../../protocol/bytes.ts";
import { parseChunks } from "../../protocol/chunks.ts";
import { type CodecSpec, DENSE2 } from "../../protocol/codec/codec.ts";
import { parseEvent } from "../../protocol/events.ts";
import { checkFrame, decodeFrame, encodeFrame } from "../../protocol/frame.ts";
import { parseJson } from "../../protocol/guards.ts";
import { parseProof, parseRecord } from "../../protocol/history.ts";
import { parseAnnouncement, parseIntroduction } from "../../protocol/introduction.ts";
import { parseManifest } from "../../protocol/manifest.ts";
import { parseAction } from "../../protocol/operator.ts";
import { parsePace } from "../../protocol/pace.ts";
import { packFrame, unpackFrame } from "../../protocol/packed-frame.ts";
import { parseReceipt } from "../../protocol/receipt.ts";
import { parseSetupOrder, parseTextHead } from "../../protocol/setup.ts";
import { parseAuditAnswer, parseAuditTicket } from "../../protocol/shared-audit.ts";
import { parseTicket } from "../../protocol/ticket.ts";
import { decodeUpload, encodeUpload } from "../../protocol/upload.ts";
import { begin } from "../../server/coordinator/state.ts";
import { tokenizerJson } from "../../server/corpus/encode.ts";
import { parseIndex } from "../../server/corpus/index-file.ts";
import { parseSignal } from "../../server/peers/signals.ts";
import { decodeAcknowledged, encodeAcknowledged } from "../../server/run/acknowledged.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../../server/run/checkpoint.ts";
import { decodeRecord } from "../../server/run/record.ts";
import { parseSettings } from "../../server/run/settings.ts";
import { decodeVectors, encodeVectors } from "../../server/run/vectors-file.ts";
import {
  decodeAnswer,
  decodeBeat,
  decodeRequest,
  encodeBeat,
  encodePassed,
} from "../../server/store/passed-message.ts";
import {
  encodeBlock,
  encodeHeader,
  headerCheck,
  packSegment,
  recordsOf,
  scan,
} from "../../server/store/segment.ts";
import { WHOLE_CODECS } from "../extraction-cases.ts";
import { HASH, MANIFEST, ticketFor } from "../fake-service.ts";

export type Bytes = Uint8Array<ArrayBuffer>;

/** A decoder, good input for it, and the errors by which it may refuse bad input. */
interface Target {
  readonly name: string;
  readonly good: readonly Bytes[];
  decode(bytes: Bytes): unknown;
}

const PARAMETERS = 300;
const TOP_K: CodecSpec = { name: "topk", chunk: 64, k: 5, bits: 4 };
/** Codecs whose frames may come packed. */
const PACKED: readonly CodecSpec[] = [DENSE2, TOP_K];
const SHAPE = { layers: 1, heads: 1, width: 4, context: 8, vocabulary: 256 };
const json = (value: unknown): Bytes => utf8(JSON.stringify(value));
const parsed = (bytes: Bytes) => parseJson(bytes);

/** Everything that reads a stranger's bytes, or a disk's. */
export async function targets(): Promise<readonly Target[]> {
  const values = Float32Array.from({ length: PARAMETERS }, (_, i) => Math.sin(i));
  const frames = [...WHOLE_CODECS, TOP_K].map((spec) => encodeFrame(spec, values));
  const id = "t".repeat(22) as ReturnType<typeof ticketFor>["id"];
  const ticket = ticketFor(MANIFEST.server, id);
  const upload = encodeUpload(ticket, { loss: 2, trainMs: 5, device: "fuzz" }, frames[2]!);
  const entry = { ticket: id, volunteer: MANIFEST.server, delta: HASH, weight: 1 };
  const record = {
    run: MANIFEST.run,
    version: 1,
    previous: HASH,
    model: HASH,
    diff: HASH,
    step: { outer: {} },
    merged: [entry],
    signature: "s".repeat(86),
  };
  const receipt = {
    ...entry,
    run: MANIFEST.run,
    version: 1,
    tokens: 8,
    accepted: 1,
    signature: "s".repeat(86),
  };
  const header = encodeHeader({ first: 0, previous: 0, salt: 7 });
  const block = encodeBlock(7, headerCheck(header), [utf8("one"), utf8("two")]);
  const next = encodeBlock(7, block.check, [upload]);
  const stripped = { first: 0, previous: 0, salt: 7, end: 5 };
  const packed = await packSegment(stripped, [utf8("one"), utf8("two")]);
  const layout = layoutOf(SHAPE);
  const weights = new Float32Array(layout.length);
  const created = { type: "created", at: 0, hash: HASH, genesis: {} } as const;
  const event = json(created);
  const place = { version: 0, hash: HASH, needs: 0 };
  const checkpoint = {
    applied: 1,
    state: begin(created),
    frames: new Map([[id, 1]]),
    late: [],
    places: [place],
  };
  const audit = {
    ...ticket,
    done: 1,
    rates: [],
    delta: MANIFEST.delta,
    frame: HASH,
    bytes: 90,
    other: HASH,
    draw: 7,
    batches: 2,
  };
  const effect = { before: 3, after: 2.5, error: 0.125 };
  const effects = { assigned: effect, gate: effect };
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, event.length, true);
  const vectors = { x: values, theta: values, momentum: values };
  return [
    {
      name: "frame",
      good: frames,
      decode: (bytes) => [checkFrame(bytes, PARAMETERS), decodeFrame(bytes, PARAMETERS)],
    },
    ...PACKED.map((spec) => ({
      name: `packed ${spec.name}`,
      good: [packFrame(encodeFrame(spec, values), PARAMETERS, spec)],
      decode: (bytes: Bytes) => decodeFrame(unpackFrame(bytes, PARAMETERS, spec), PARAMETERS),
    })),
    { name: "upload", good: [upload], decode: decodeUpload },
    { name: "ticket", good: [json(ticket)], decode: (bytes) => parseTicket(parsed(bytes)) },
    { name: "audit", good: [json(audit)], decode: (bytes) => parseAuditTicket(parsed(bytes)) },
    {
      name: "audit answer",
      good: [json({ audit: id, measured: { ...effects, distance: 0, shortened: 0.5, length: 1 } })],
      decode: (bytes) => parseAuditAnswer(parsed(bytes)),
    },
    { name: "pace", good: [json({ speed: 9, uplink: 9 })], decode: (bytes) => parsePace(parsed(bytes)) },
    { name: "receipt", good: [json(receipt)], decode: (bytes) => parseReceipt(parsed(bytes)) },
    { name: "manifest", good: [json(MANIFEST)], decode: (bytes) => parseManifest(parsed(bytes)) },
    { name: "record", good: [json(record)], decode: (bytes) => parseRecord(parsed(bytes)) },
    { name: "proof", good: [json({ record, position: 0 })], decode: (bytes) => parseProof(parsed(bytes)) },
    {
      name: "event",
      good: [json({ type: "hello", version: 1, hash: HASH, state: "running" })],
      decode: (bytes) => parseEvent(parsed(bytes)),
    },
    {
      name: "journal segment",
      good: [concat(header, block.bytes, next.bytes), packed.bytes],
      decode(bytes) {
        const { blocks, header: read } = scan(bytes, "fuzz");
        return blocks.map(({ offset, bytes: size }) =>
          recordsOf(bytes.subarray(offset, offset + size), read.end !== undefined),
        );
      },
    },
    { name: "journal record", good: [concat(length, event)], decode: decodeRecord },
    {
      name: "state file",
      good: [concat(...encodeVectors(vectors))],
      decode: (bytes) => decodeVectors(bytes, values),
    },
    {
      name: "checkpoint",
      good: [encodeCheckpoint(checkpoint)],
      decode: (bytes) => decodeCheckpoint(bytes, begin(created)),
    },
    {
      name: "safetensors",
      good: [encodeSafetensors(layout, weights)],
      decode: (bytes) => decodeSafetensors(bytes, layout),
    },
    {
      name: "tokenizer",
      good: [utf8(tokenizerJson([]))],
      // What it reads is used at once, on text and on tokens that it may not have.
      decode: (bytes) => {
        const tokenizer = loadTokenizer(bytes);
        return tokenizer.decode([...tokenizer.encode("the whale, é"), 3]);
      },
    },
    ...peerTargets(),
    ...clusterTargets(upload),
    {
      name: "operator's action",
      good: [
        json({ action: "tune", changes: { quorum: 3, learningRate: 0.1 } }),
        json({ action: "rollback", version: 3 }),
        json({ action: "ban", volunteer: MANIFEST.server }),
      ],
      decode: (bytes) => parseAction(parsed(bytes)),
    },
    {
      name: "order of a run",
      good: [json({ text: "upload", vocabulary: 512, settings: { name: "x" }, paused: true })],
      decode: (bytes) => parseSetupOrder(parsed(bytes)),
    },
    {
      name: "head of a text",
      good: [json({ name: "a.txt", bytes: 9 })],
      decode: (bytes) => parseTextHead(parsed(bytes)),
    },
    { name: "corpus index", good: [json({ format: 1, splits: {} })], decode: parseIndex },
    {
      name: "run file",
      good: [json({ name: "x", model: { layers: 2, heads: 2, width: 8 }, outer: { kind: "average" } })],
      decode: (bytes) => parseSettings(parsed(bytes)),
    },
  ];
}

/** What reads other browsers' words: directly, by the server's introduction, or in lists that the server signed. */
function peerTargets(): readonly Target[] {
  const [id, dst] = ["p".repeat(22), "q".repeat(22)];
  const chunks = { run: MANIFEST.run, object: "diffs/1", hash: HASH, length: 70_000, size: 65_536 };
  const list = { ...chunks, chunks: [HASH, HASH], signature: "s".repeat(86) };
  const announced = { id, token: dst, holds: [HASH], latest: true, wants: HASH, wrong: [dst] };
  const about = { object: HASH, chunk: 1 };
  const connectionId = "dc_1";
  const sdp = "v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n";
  const line = "candidate:1 1 udp 2113937151 a.local 50000 typ host";
  const candidate = { candidate: line, sdpMid: "0", sdpMLineIndex: 0, usernameFragment: "ab" };
  return [
    { name: "chunk list", good: [json(list)], decode: (bytes) => parseChunks(parsed(bytes)) },
    { name: "announcement", good: [json(announced)], decode: (bytes) => parseAnnouncement(parsed(bytes)) },
    {
      name: "introduction",
      good: [json({ peers: [id, dst], swarm: 2, holders: 1 })],
      decode: (bytes) => parseIntroduction(parsed(bytes)),
    },
    {
      name: "peer's message",
      good: [
        encodeMessage({ type: "want", object: HASH }),
        encodeMessage({ type: "have", object: HASH, bits: Uint8Array.of(3) }),
        encodeMessage({ type: "ask", ...about }),
        encodeMessage({ type: "piece", ...about, offset: 0, bytes: new Uint8Array(64) }),
      ],
      decode: decodeMessage,
    },
    {
      name: "signal",
      good: [
        json({ type: "HEARTBEAT" }),
        json({ type: "OFFER", dst, payload: { sdp: { type: "offer", sdp }, connectionId } }),
        json({ type: "CANDIDATE", dst, payload: { candidate, connectionId } }),
      ],
      decode: parseSignal,
    },
  ];
}

/** What reads the words of a cluster's other servers. */
function clusterTargets(upload: Bytes): readonly Target[] {
  const passed = { headers: [["accept", "*/*"]] as const, body: utf8("body") };
  const request = { method: "POST", target: "/api/deltas", address: "2001:db8::1", encrypted: true };
  const delta = { upload: decodeUpload(upload), delta: HASH, at: 7, norm: 1, from: "a network" };
  return [
    { name: "passed request", good: [encodePassed({ ...request, ...passed })], decode: decodeRequest },
    {
      name: "passed answer",
      good: [encodePassed({ status: 200, version: 3, ...passed })],
      decode: decodeAnswer,
    },
    {
      name: "leader's beat",
      good: [encodeBeat({ from: "a server", clock: 9, networkKey: new Uint8Array(32) })],
      decode: decodeBeat,
    },
    { name: "acknowledged delta", good: [encodeAcknowledged(delta)], decode: decodeAcknowledged },
  ];
}
