import type { Hash, PeerId } from "../../protocol/ids.ts";
import { BUFFER_HIGH, type Channel } from "./channel.ts";
import { encodeMessage, type Message, PIECE_BYTES } from "./messages.ts";

/** The open channels, one a peer. */
export class Channels {
  readonly #channels = new Map<PeerId, Channel>();
  readonly #onSent: (bytes: number) => void;

  /** `onSent` is called with the bytes of every frame that goes out. */
  constructor(onSent: (bytes: number) => void) {
    this.#onSent = onSent;
  }

  has(peer: PeerId): boolean {
    return this.#channels.has(peer);
  }

  /** Takes in a peer's new channel; an earlier one is closed. */
  add(peer: PeerId, channel: Channel): void {
    this.close(peer);
    this.#channels.set(peer, channel);
  }

  /** A peer's channel was closed by the other side. */
  remove(peer: PeerId): void {
    this.#channels.delete(peer);
  }

  close(peer: PeerId): void {
    this.#channels.get(peer)?.close();
    this.#channels.delete(peer);
  }

  closeAll(): void {
    for (const channel of this.#channels.values()) channel.close();
  }

  send(peer: PeerId, message: Message): void {
    const frame = encodeMessage(message);
    this.#onSent(frame.length);
    this.#channels.get(peer)?.send(frame);
  }

  /** Hands a chunk's pieces to its channel, as fast as that takes them; `done` is called after the last. */
  sendChunk(
    peer: PeerId,
    object: Hash,
    chunk: number,
    bytes: Uint8Array<ArrayBuffer>,
    done: () => void,
    from = 0,
  ): void {
    const channel = this.#channels.get(peer);
    let offset = from;
    while (channel !== undefined && offset < bytes.length) {
      if (channel.buffered > BUFFER_HIGH) {
        channel.whenLow(() => this.sendChunk(peer, object, chunk, bytes, done, offset));
        return;
      }
      const piece = bytes.subarray(offset, offset + PIECE_BYTES);
      this.send(peer, { type: "piece", object, chunk, offset, bytes: piece });
      offset += piece.length;
    }
    done();
  }
}
