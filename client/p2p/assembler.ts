import type { Hash, PeerId } from "../../protocol/ids.ts";
import type { Message } from "./messages.ts";

type Bytes = Uint8Array<ArrayBuffer>;

interface Part {
  readonly bytes: Bytes;
  filled: number;
}

/** Chunks that come in pieces: memory only for what was asked, every piece in its place and not a byte too many. */
export class Assembler {
  readonly #parts = new Map<PeerId, Map<string, Part>>();

  expect(peer: PeerId, object: Hash, chunk: number, length: number): void {
    const parts = this.#parts.get(peer) ?? new Map<string, Part>();
    this.#parts.set(peer, parts);
    parts.set(`${object}/${chunk}`, { bytes: new Uint8Array(length), filled: 0 });
  }

  /** The peer will not send it after all. */
  excuse(peer: PeerId, object: Hash, chunk: number): void {
    this.#parts.get(peer)?.delete(`${object}/${chunk}`);
  }

  forget(peer: PeerId): void {
    this.#parts.delete(peer);
  }

  /** The chunk, when the piece was its last; "wrong" for one that was not asked for or is out of place. */
  take(peer: PeerId, piece: Extract<Message, { type: "piece" }>): Bytes | "more" | "wrong" {
    const key = `${piece.object}/${piece.chunk}`;
    const parts = this.#parts.get(peer);
    const part = parts?.get(key);
    if (parts === undefined || part === undefined || piece.offset !== part.filled) return "wrong";
    if (part.filled + piece.bytes.length > part.bytes.length) return "wrong";
    part.bytes.set(piece.bytes, part.filled);
    part.filled += piece.bytes.length;
    if (part.filled < part.bytes.length) return "more";
    parts.delete(key);
    return part.bytes;
  }
}
