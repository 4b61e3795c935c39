import { systemCode } from "../../model/lib/system-code.ts";
import { bytesOf } from "../../protocol/bytes.ts";
import { sha256 } from "../../protocol/identity.ts";
import type { Hash } from "../../protocol/ids.ts";
import { MAX_SHARD_TOKENS } from "../../protocol/limits.ts";
import { writeDurably } from "./disk.ts";
import type { Workspace } from "./workspace.ts";

/** Tokens of a shard unless told otherwise: 128 KiB, a second on a slow link. */
export const SHARD_TOKENS = 64 * 1024;

/** A shard as corpus.json lists it. */
export interface ShardEntry {
  readonly hash: Hash;
  readonly tokens: number;
  /** Of a train shard: how often its text comes in an epoch; 1 if absent. */
  readonly weight?: number;
}

/**
 * Writes one split's tokens as shards: files of little-endian u16 named by their SHA-256. Each has `size`
 * tokens, the last one what is left with it: up to twice that, so that no shard is shorter than one context.
 */
export class ShardWriter {
  readonly entries: ShardEntry[] = [];
  readonly #workspace: Workspace;
  readonly #size: number;
  readonly #waiting: Uint16Array<ArrayBuffer>;
  #count = 0;

  /** `size` is at most half of {@link MAX_SHARD_TOKENS}. */
  constructor(workspace: Workspace, size: number) {
    if (size < 1 || 2 * size > MAX_SHARD_TOKENS) throw new RangeError(`a shard of ${size} tokens`);
    this.#workspace = workspace;
    this.#size = size;
    this.#waiting = new Uint16Array(2 * size);
  }

  async add(tokens: Uint16Array): Promise<void> {
    for (let at = 0; at < tokens.length; ) {
      if (this.#count === this.#waiting.length) await this.#write(this.#size);
      const part = tokens.subarray(at, at + this.#waiting.length - this.#count);
      this.#waiting.set(part, this.#count);
      this.#count += part.length;
      at += part.length;
    }
  }

  async finish(): Promise<void> {
    if (this.#count === this.#waiting.length) await this.#write(this.#size);
    if (this.#count > 0) await this.#write(this.#count);
  }

  /** Writes the first `tokens` waiting tokens as a shard. */
  async #write(tokens: number): Promise<void> {
    const bytes = bytesOf(this.#waiting.subarray(0, tokens));
    const hash = await sha256(bytes);
    try {
      await writeDurably(this.#workspace.disk, this.#workspace.path("shards", hash), bytes);
    } catch (error) {
      if (systemCode(error) !== "EEXIST") throw error; // the same tokens came before: one file serves both
    }
    this.entries.push({ hash, tokens });
    this.#waiting.copyWithin(0, tokens);
    this.#count -= tokens;
  }
}
