import { createReadStream } from "node:fs";
import { Random } from "../../model/lib/random.ts";
import { cutBlocks } from "./cut.ts";
import type { DiskFile } from "./disk.ts";
import type { Workspace } from "./workspace.ts";

/** Train is served; gate is for the server's trust checks; held-out only for the reported loss. */
export const SPLITS = ["train", "gate", "heldOut"] as const;
export type Split = (typeof SPLITS)[number];

/** Characters of a block: a few paragraphs. */
const BLOCK = 4_096;

/** Blocks of which one is for gate and one for held-out text: 90%, 5%, 5%. */
const GROUP = 20;

/** Draws which. A constant, so that the same text is split the same way everywhere. */
const SEED = 20;

/** Rounds of one block for each split with which a text begins, each of twice the size. */
const OPENING_ROUNDS = 4;

/** Bytes collected before they are written. */
const WRITE = 256 * 1024;

/**
 * How large block `i` is, in characters, and which split it is for.
 *
 * A long text goes into groups of 20 blocks. Its beginning, and so all of a short text, goes into rounds of
 * one small block a split: the first round has one character for each token of a context, the fourth eight.
 * So each split gets its context from any text that has enough for three, and a long one hardly notices.
 */
export function plan(context: number): { size(block: number): number; split(block: number): Split } {
  const opening = 3 * OPENING_ROUNDS;
  const random = new Random(SEED);
  let group = -1;
  let gate = 0;
  let heldOut = 0;
  return {
    size(block) {
      if (block < opening) return (context + 1) * 2 ** Math.floor(block / 3);
      return Math.max(BLOCK, 8 * context);
    },
    /** To be asked block by block, in order. */
    split(block) {
      if (block < opening) return SPLITS[block % 3]!;
      const position = (block - opening) % GROUP;
      if (Math.floor((block - opening) / GROUP) !== group) {
        group += 1;
        gate = random.below(GROUP);
        heldOut = (gate + 1 + random.below(GROUP - 1)) % GROUP;
      }
      return position === gate ? "gate" : position === heldOut ? "heldOut" : "train";
    },
  };
}

/** The text of each split, in files of the workspace. */
export interface SplitText {
  /** Bytes of UTF-8. */
  readonly bytes: Readonly<Record<Split, number>>;
  read(split: Split): AsyncIterable<string>;
}

/**
 * Divides a text before anything else is done with it, so that neither the tokenizer nor a volunteer ever
 * meets what the run is measured on. `number` tells the texts of one workspace apart.
 */
export async function splitText(
  text: AsyncIterable<string>,
  context: number,
  workspace: Workspace,
  number = 0,
): Promise<SplitText> {
  const path = (split: Split) => workspace.path(`${split}-${number}.text`);
  const { size, split } = plan(context);
  const spools: Spool[] = [];
  const open = async (name: Split) => {
    const spool = new Spool(await workspace.disk.create(path(name)));
    spools.push(spool);
    return spool;
  };
  try {
    const files = { train: await open("train"), gate: await open("gate"), heldOut: await open("heldOut") };
    let block = 0;
    for await (const part of cutBlocks(text, size)) await files[split(block++)].add(part);
    for (const spool of spools) await spool.flush();
    return {
      bytes: { train: files.train.bytes, gate: files.gate.bytes, heldOut: files.heldOut.bytes },
      read: (name) => createReadStream(path(name), { encoding: "utf8", highWaterMark: WRITE }),
    };
  } finally {
    for (const spool of spools) await spool.close();
  }
}

/** A temporary file of text, written in large pieces. */
class Spool {
  bytes = 0;
  #waiting: Uint8Array[] = [];
  #size = 0;
  readonly #file: DiskFile;
  readonly #utf8 = new TextEncoder();

  constructor(file: DiskFile) {
    this.#file = file;
  }

  async add(text: string): Promise<void> {
    const bytes = this.#utf8.encode(text);
    this.#waiting.push(bytes);
    this.#size += bytes.length;
    this.bytes += bytes.length;
    if (this.#size >= WRITE) await this.flush();
  }

  async flush(): Promise<void> {
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#size = 0;
    await this.#file.write(bytes);
  }

  /** Frees the file; it needs no durability. */
  close(): Promise<void> {
    return this.#file.close(false);
  }
}
