import { chunksIn } from "../../protocol/chunks.ts";
import type { PeerId } from "../../protocol/ids.ts";
import { Bits } from "./bits.ts";
import type { Shape, Source } from "./events.ts";
import {
  ASK_MS,
  HEDGE_MS,
  MAX_BAD,
  MAX_SOURCES,
  RANDOM_CHUNKS,
  SHARE_BESIDE_HOLDERS,
  SHARE_OF_NEW,
  TOO_SLOW_MS,
} from "./limits.ts";

/** One ask under way. */
export interface Ask {
  readonly source: Source;
  readonly chunk: number;
  readonly at: number;
}

/** An object that is here in part: what is there, what others have, and what is asked of whom. */
export class Download {
  readonly shape: Shape;
  readonly mine: Bits;
  readonly began: number;
  /** The chunks that connected peers have. */
  readonly theirs = new Map<PeerId, Bits>();
  readonly asks: Ask[] = [];
  /** Peers that stalled or lied over this object. */
  bad = 0;
  /** When something was last under way. */
  busyAt: number;
  /** When peers for it were last sought; undefined before. */
  soughtAt: number | undefined;
  /** Whether the server has answered who there is. */
  introduced = false;
  /** Chunks that the server is asked for beside the peers. */
  share = 0;
  /** The server is left alone until then. */
  serverRests = 0;
  readonly #holders: Uint16Array;
  readonly #random: () => number;

  constructor(shape: Shape, now: number, random: () => number) {
    this.shape = shape;
    this.mine = new Bits(chunksIn(shape.length, shape.size));
    this.#holders = new Uint16Array(this.mine.count);
    this.#random = random;
    this.began = now;
    this.busyAt = now;
  }

  /** How many share the object, and have it whole, settles what is asked of the server from the beginning. */
  setShare(swarm: number, holders: number): void {
    const part = (holders > 0 ? SHARE_BESIDE_HOLDERS : SHARE_OF_NEW) / Math.max(2, swarm);
    const chunks = part * this.mine.count;
    this.share = Math.floor(chunks) + (this.#random() < chunks % 1 ? 1 : 0);
  }

  /** A peer's whole account of what it has. False where it is about another number of chunks. */
  setTheirs(peer: PeerId, bytes: Uint8Array): boolean {
    const bits = Bits.from(bytes, this.mine.count);
    if (bits === undefined) return false;
    this.forget(peer);
    this.theirs.set(peer, bits);
    for (let chunk = 0; chunk < bits.count; chunk++) if (bits.has(chunk)) this.#holders[chunk]!++;
    return true;
  }

  addTheirs(peer: PeerId, chunk: number): boolean {
    if (chunk >= this.mine.count) return false;
    let bits = this.theirs.get(peer);
    if (bits === undefined) {
      bits = new Bits(this.mine.count);
      this.theirs.set(peer, bits);
    }
    if (!bits.has(chunk)) {
      bits.add(chunk);
      this.#holders[chunk]!++;
    }
    return true;
  }

  /** A peer has nothing of it any more. */
  forget(peer: PeerId): void {
    const bits = this.theirs.get(peer);
    if (bits === undefined) return;
    this.theirs.delete(peer);
    for (let chunk = 0; chunk < bits.count; chunk++) if (bits.has(chunk)) this.#holders[chunk]!--;
  }

  /** Whether this peer has a chunk that is missing here. */
  lacksFrom(peer: PeerId): boolean {
    const bits = this.theirs.get(peer);
    if (bits === undefined) return false;
    return bits.bytes.some((byte, i) => (byte & ~this.mine.bytes[i]!) !== 0);
  }

  asksOf(source: Source): number {
    let count = 0;
    for (const ask of this.asks) if (ask.source === source) count++;
    return count;
  }

  ask(source: Source, chunk: number, now: number): void {
    this.asks.push({ source, chunk, at: now });
  }

  /** Peers that have not answered an ask in time; the server's transport has a watchdog of its own. */
  stalled(now: number): Set<PeerId> {
    const peers = new Set<PeerId>();
    for (const { source, at } of this.asks) if (source !== "server" && now - at >= ASK_MS) peers.add(source);
    return peers;
  }

  /** Ends an ask. False where there was none. */
  end(source: Source, chunk: number): boolean {
    const at = this.asks.findIndex((ask) => ask.source === source && ask.chunk === chunk);
    if (at < 0) return false;
    this.asks.splice(at, 1);
    return true;
  }

  endAll(source: Source): void {
    for (let i = this.asks.length - 1; i >= 0; i--)
      if (this.asks[i]!.source === source) this.asks.splice(i, 1);
  }

  /**
   * The chunk to ask of a source: the rarest that nobody was asked for, a few random ones first; when there is none,
   * the one that has been under way the longest (the end-game). `forServer`: those that no peer has come first.
   */
  pick(source: Source, now: number): number | undefined {
    const bits = source === "server" ? undefined : this.theirs.get(source);
    if (source !== "server" && bits === undefined) return undefined;
    const asked = new Set(this.asks.map((ask) => ask.chunk));
    const random = this.mine.size + asked.size < RANDOM_CHUNKS;
    let best: number | undefined;
    let rarity = Number.POSITIVE_INFINITY;
    let ties = 0;
    for (let chunk = 0; chunk < this.mine.count; chunk++) {
      if (this.mine.has(chunk) || asked.has(chunk) || (bits && !bits.has(chunk))) continue;
      const rare = random && bits !== undefined ? 0 : this.#holders[chunk]!;
      if (rare > rarity) continue;
      if (rare < rarity) ties = 0;
      rarity = rare;
      if (this.#random() * ++ties < 1) best = chunk; // each of equally rare ones is as likely
    }
    return best ?? this.#hedge(source, bits, now);
  }

  #hedge(source: Source, bits: Bits | undefined, now: number): number | undefined {
    let oldest: Ask | undefined;
    for (const ask of this.asks) {
      if (now - ask.at < HEDGE_MS || (bits && !bits.has(ask.chunk))) continue;
      const sources = this.asks.filter((other) => other.chunk === ask.chunk);
      if (sources.length >= MAX_SOURCES || sources.some((other) => other.source === source)) continue;
      if (oldest === undefined || ask.at < oldest.at) oldest = ask;
    }
    return oldest?.chunk;
  }

  /** Peers have had their chance: the server is asked for everything. */
  hopeless(now: number): boolean {
    return this.bad >= MAX_BAD || now - this.began >= TOO_SLOW_MS;
  }
}
