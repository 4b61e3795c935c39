import { chunkLength } from "../../protocol/chunks.ts";
import type { Hash, PeerId } from "../../protocol/ids.ts";
import { Bucket } from "./bucket.ts";
import type { Shape } from "./events.ts";
import { MAX_QUEUED, MAX_SERVING, MAX_WAIT_MS, UPLOAD_BURST_SECONDS } from "./limits.ts";

interface Asked {
  readonly shape: Shape;
  readonly chunk: number;
}

interface Asker {
  readonly queue: Asked[];
  /** Bytes given since it came, on top of what the least served had then. */
  served: number;
  serving: boolean;
}

/** A chunk that is to go out now. */
export interface Serving {
  readonly peer: PeerId;
  readonly object: Hash;
  readonly chunk: number;
}

/**
 * Chunks for others: within a budget of its own, and the least served asker first, so that one that asks for
 * everything, or comes with a hundred names, takes nobody else's turn.
 */
export class Uploads {
  readonly #bucket: Bucket;
  readonly #askers = new Map<PeerId, Asker>();

  /** `rate` is bytes a second. */
  constructor(rate: number, now: number) {
    this.#bucket = new Bucket(rate, rate * UPLOAD_BURST_SECONDS, now);
  }

  open(peer: PeerId): void {
    let least = Number.POSITIVE_INFINITY;
    for (const { served } of this.#askers.values()) least = Math.min(least, served);
    this.#askers.set(peer, { queue: [], served: Number.isFinite(least) ? least : 0, serving: false });
  }

  close(peer: PeerId): void {
    this.#askers.delete(peer);
  }

  /** Takes an ask in: `busy` where its turn would come too late, `greedy` where nobody honest asks for so much. */
  ask(peer: PeerId, shape: Shape, chunk: number): "taken" | "busy" | "greedy" {
    const asker = this.#askers.get(peer);
    if (asker === undefined || asker.queue.length >= MAX_QUEUED) return "greedy";
    const ahead = this.#chunksBefore(asker);
    if (ahead * shape.size > (this.#bucket.rate * MAX_WAIT_MS) / 1_000) return "busy";
    if (!asker.queue.some((one) => one.shape.hash === shape.hash && one.chunk === chunk)) {
      asker.queue.push({ shape, chunk });
    }
    return "taken";
  }

  /** Gives up what waits of an object; the peers that waited for it. */
  drop(object: Hash): Serving[] {
    const dropped: Serving[] = [];
    for (const [peer, asker] of this.#askers) {
      for (let i = asker.queue.length - 1; i >= 0; i--) {
        const { shape, chunk } = asker.queue[i]!;
        if (shape.hash !== object) continue;
        asker.queue.splice(i, 1);
        dropped.push({ peer, object, chunk });
      }
    }
    return dropped;
  }

  /** A chunk has gone out. */
  sent(peer: PeerId): void {
    const asker = this.#askers.get(peer);
    if (asker !== undefined) asker.serving = false;
  }

  /** The chunks to send now. */
  next(now: number): Serving[] {
    const starting: Serving[] = [];
    for (;;) {
      const turn = this.#turn();
      if (turn === undefined) return starting;
      const [peer, asker] = turn;
      const asked = asker.queue[0]!; // #turn gives askers that wait
      const bytes = chunkLength(asked.shape, asked.chunk);
      if (!this.#bucket.take(bytes, now)) return starting;
      asker.queue.shift();
      asker.served += bytes;
      asker.serving = true;
      starting.push({ peer, object: asked.shape.hash, chunk: asked.chunk });
    }
  }

  /** When the budget lets the next chunk out; undefined while none waits or room is lacking otherwise. */
  wakeAt(now: number): number | undefined {
    const turn = this.#turn();
    if (turn === undefined) return undefined;
    const asked = turn[1].queue[0]!;
    return now + Math.max(1, this.#bucket.wait(chunkLength(asked.shape, asked.chunk), now));
  }

  /** The least served of those that wait and have nothing going out. */
  #turn(): readonly [PeerId, Asker] | undefined {
    let least: readonly [PeerId, Asker] | undefined;
    let serving = 0;
    for (const entry of this.#askers) {
      const [, asker] = entry;
      if (asker.serving) serving++;
      else if (asker.queue.length > 0 && (least === undefined || asker.served < least[1].served))
        least = entry;
    }
    return serving < MAX_SERVING ? least : undefined;
  }

  /** Chunks that would go out before one that this asker asks for now, if everybody gets equal turns. */
  #chunksBefore(asker: Asker): number {
    const own = asker.queue.length;
    let chunks = 0;
    for (const other of this.#askers.values()) chunks += Math.min(other.queue.length, own + 1);
    return chunks;
  }
}
