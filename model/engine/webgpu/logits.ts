import type { ModelShape } from "../../contract/config.ts";
import type { Op } from "../ops.ts";
import type { LogitsSchedule } from "../schedule.ts";
import type { Memory } from "./memory.ts";
import type { Program } from "./program.ts";
import type { Readback } from "./readback.ts";
import type { Submits } from "./submits.ts";

/** Logits are computed for a power of two of tokens from this on, so that generation compiles few programs. */
const MIN_ROWS = 16;

/** A program that leaves the logits of some rows, and where. */
interface Part {
  readonly program: Program;
  readonly from: number;
  readonly rows: number;
}

/** The forward of one sequence, compiled once a length. */
export class Logits {
  readonly #shape: ModelShape;
  readonly #plan: (length: number) => LogitsSchedule;
  readonly #memory: Memory;
  readonly #link: (ops: readonly Op[]) => Promise<Program>;
  readonly #programs = new Map<number, Promise<Part[]>>();

  constructor(
    shape: ModelShape,
    plan: (length: number) => LogitsSchedule,
    memory: Memory,
    link: (ops: readonly Op[]) => Promise<Program>,
  ) {
    this.#shape = shape;
    this.#plan = plan;
    this.#memory = memory;
    this.#link = link;
  }

  /** Of these tokens, [tokens, vocabulary]. */
  async of(tokens: Uint32Array<ArrayBuffer>, { queue }: GPUDevice, submits: Submits, readback: Readback) {
    const { context, vocabulary } = this.#shape;
    const length = Math.min(context, Math.max(MIN_ROWS, 2 ** Math.ceil(Math.log2(tokens.length))));
    const { parts, stride } = this.#plan(length);
    let programs = this.#programs.get(length);
    if (!programs) {
      const linked = parts.map(async ({ ops, logits }) => {
        return { program: await this.#link(ops), from: logits.offset, rows: logits.length / stride };
      });
      programs = Promise.all(linked);
      this.#programs.set(length, programs);
    }
    // what follows the tokens in the arena is left from before: attention is causal, it cannot be seen
    queue.writeBuffer(this.#memory.arena("tokens"), 0, tokens);
    const all = new Float32Array(tokens.length * vocabulary);
    let row = 0;
    for (const { program, from, rows } of await programs) {
      const count = Math.min(rows, tokens.length - row);
      if (count <= 0) break;
      const piece = { buffer: this.#memory.arena("activations"), from, length: count * stride };
      await submits.run([program]);
      const [values] = await readback.read([piece]);
      all.set(withoutPadding(values!, stride, vocabulary), row * vocabulary);
      row += count;
    }
    return all;
  }

  destroy(): void {
    for (const programs of this.#programs.values())
      void programs.then((linked) => {
        for (const { program } of linked) program.destroy();
      });
  }
}

/** The first `columns` values of each row of `stride`; where those are all, what it was given. */
function withoutPadding(values: Float32Array, stride: number, columns: number): Float32Array {
  if (stride === columns) return values;
  const rows = values.length / stride;
  const dense = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++)
    dense.set(values.subarray(row * stride, row * stride + columns), row * columns);
  return dense;
}
