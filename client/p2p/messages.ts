import { concat, fromHex, toHex, u32Bytes } from "../../protocol/bytes.ts";
import { as } from "../../protocol/guards.ts";
import { type Hash, isHash } from "../../protocol/ids.ts";
import { MAX_OBJECT_BYTES } from "../../protocol/limits.ts";

/**
 * Messages between peers over a raw, ordered, reliable data channel (rules K7 and K8): a byte of type, the
 * object's 32-byte hash, then the type's own fields, little-endian. One message, one frame, at most 16 KiB.
 */
export type Message =
  /** Tell me what you have of this object, and what more of it you get. */
  | { readonly type: "want"; readonly object: Hash }
  /** No more of that: I have it, or gave it up. */
  | { readonly type: "done"; readonly object: Hash }
  /** The chunks that I have, a bit each (bits.ts). */
  | { readonly type: "have"; readonly object: Hash; readonly bits: Uint8Array<ArrayBuffer> }
  /** One chunk more. */
  | { readonly type: "got"; readonly object: Hash; readonly chunk: number }
  /** I have nothing of it any more. */
  | { readonly type: "gone"; readonly object: Hash }
  /** Send me this chunk. */
  | { readonly type: "ask"; readonly object: Hash; readonly chunk: number }
  /** I cannot just now: ask another, or me later. */
  | { readonly type: "busy"; readonly object: Hash; readonly chunk: number }
  /** Bytes of a chunk from `offset` on; a chunk's pieces come in order. */
  | {
      readonly type: "piece";
      readonly object: Hash;
      readonly chunk: number;
      readonly offset: number;
      readonly bytes: Uint8Array<ArrayBuffer>;
    };

const TYPES = ["want", "done", "have", "got", "gone", "ask", "busy", "piece"] as const;

/** Bytes of the largest frame: what every browser takes whole (RFC 8831 §6.6 asks for no more than that). */
export const FRAME_BYTES = 16 * 1024;
const HEADER = 1 + 32;
const PIECE_HEADER = HEADER + 4 + 4;
/** Bytes of a chunk that fit in a frame. */
export const PIECE_BYTES = FRAME_BYTES - PIECE_HEADER;
/** Chunks of the largest object, cut into the smallest chunks. */
const MAX_CHUNKS = Math.ceil(MAX_OBJECT_BYTES / (64 * 1024));

/** A frame that is no message: its sender does not speak our language, and is left. */
export class BadMessage extends Error {
  override readonly name = "BadMessage";
}

export function encodeMessage(message: Message): Uint8Array<ArrayBuffer> {
  const head = Uint8Array.of(TYPES.indexOf(message.type));
  const object = fromHex(message.object);
  switch (message.type) {
    case "want":
    case "done":
    case "gone":
      return concat(head, object);
    case "have":
      return concat(head, object, message.bits);
    case "got":
    case "ask":
    case "busy":
      return concat(head, object, u32Bytes(message.chunk));
    case "piece":
      return concat(head, object, u32Bytes(message.chunk), u32Bytes(message.offset), message.bytes);
  }
}

function bad(why: string): never {
  throw new BadMessage(why);
}

/** Reads one frame. Throws {@link BadMessage}: every length is checked, and nothing is allocated before it is. */
export function decodeMessage(frame: Uint8Array<ArrayBuffer>): Message {
  if (frame.length < HEADER || frame.length > FRAME_BYTES) bad(`a frame of ${frame.length} bytes`);
  const type = TYPES[frame[0]!];
  const object = as(isHash, toHex(frame.subarray(1, HEADER)), "object");
  const rest = frame.subarray(HEADER);
  const view = new DataView(rest.buffer, rest.byteOffset, rest.byteLength);
  const sized = (bytes: number) => {
    if (rest.length !== bytes) bad(`a ${type} of ${frame.length} bytes`);
  };
  const chunk = () => {
    const number = view.getUint32(0, true);
    return number < MAX_CHUNKS ? number : bad(`chunk ${number}`);
  };
  switch (type) {
    case "want":
    case "done":
    case "gone":
      sized(0);
      return { type, object };
    case "have":
      if (rest.length === 0 || rest.length > Math.ceil(MAX_CHUNKS / 8))
        bad(`a have of ${frame.length} bytes`);
      return { type, object, bits: rest };
    case "got":
    case "ask":
    case "busy":
      sized(4);
      return { type, object, chunk: chunk() };
    case "piece":
      if (rest.length < 4 + 4 + 1) bad(`a piece of ${frame.length} bytes`);
      return { type, object, chunk: chunk(), offset: view.getUint32(4, true), bytes: rest.subarray(8) };
    default:
      return bad(`type ${frame[0]}`);
  }
}
