import { checkTokens } from "../../contract/checks.ts";
import { ModelError, type ModelShape } from "../../contract/config.ts";
import { scoringSchedule } from "../scoring.ts";
import type { Replica } from "./replica.ts";
import type { WasmTrainer } from "./trainer.ts";

/** Guesses after some rows of a batch. */
export interface Guesses {
  /** The rows [sequences, length] that are guessed from, counted through all sequences. */
  readonly rows: Uint32Array;
  /** The token that each guess is of. */
  readonly targets: Uint16Array;
}

/** Schedules that are kept: making one costs as much as running one on a short text. */
const MAX_PASSES = 64;

/** A schedule ready to run. */
type Pass = (tokens: Uint16Array, guesses: Guesses) => Float32Array<ArrayBuffer>;

/**
 * What a few guesses cost, for whoever does not need the loss of every row: sequences of any one length at once, in the
 * memory of a trainer.
 */
export class Scorer {
  /** Rows that one call may bring, and guesses likewise: at least the context. */
  readonly rows: number;
  readonly #trainer: WasmTrainer;
  readonly #shape: ModelShape;
  /** By what sizes them; the set of questions is the same for every version, and so are these. */
  readonly #passes = new Map<string, Pass>();

  constructor(trainer: WasmTrainer, shape: ModelShape) {
    this.#trainer = trainer;
    this.#shape = shape;
    this.rows = trainer.micro * shape.context;
  }

  /**
   * The loss of each guess, nats, with the weights that the trainer has loaded. `tokens` are sequences of `length` tokens,
   * 1 to context, side by side. Throws `bad-shape` and `bad-token`.
   */
  losses(tokens: Uint16Array, length: number, guesses: Guesses): Promise<Float32Array> {
    return this.#trainer.onReplica((replica) => {
      this.#check(tokens, length, guesses);
      const [batch, count] = [tokens.length / length, guesses.targets.length];
      const key = `${batch}×${length}: ${count}`;
      const pass = this.#passes.get(key) ?? this.#compile(replica, batch, length, count);
      if (!this.#passes.has(key)) this.#keep(key, pass);
      return pass(tokens, guesses);
    });
  }

  #check(tokens: Uint16Array, length: number, { rows, targets }: Guesses): void {
    const sequences = tokens.length / length;
    if (!(length >= 1 && length <= this.#shape.context) || !Number.isInteger(sequences) || sequences < 1)
      throw new ModelError("bad-shape", `${tokens.length} tokens are no sequences of ${length}`);
    if (Math.max(tokens.length, targets.length) > this.rows || targets.length < 1)
      throw new ModelError("bad-shape", `${targets.length} guesses after ${tokens.length} tokens at once`);
    if (rows.length !== targets.length || rows.some((row) => row >= tokens.length))
      throw new ModelError("bad-shape", "guesses after rows that are not there");
    checkTokens(this.#shape, tokens);
    checkTokens(this.#shape, targets);
  }

  #compile({ device, needs, tokens: arena }: Replica, batch: number, length: number, count: number): Pass {
    const { width } = this.#shape;
    const schedule = scoringSchedule(this.#shape, batch, length, count, needs);
    const [body, head] = [device.compile(schedule.body), device.compile(schedule.head)];
    const [normed, chosen] = [device.floats(schedule.normed), device.floats(schedule.chosen)];
    const losses = device.floats(schedule.losses);
    return (tokens, { rows, targets }) => {
      arena.set(tokens, schedule.inputs.offset);
      arena.set(targets, schedule.targets.offset);
      body();
      for (const [i, row] of rows.entries())
        chosen.set(normed.subarray(row * width, (row + 1) * width), i * width);
      head();
      return losses.slice();
    };
  }

  #keep(key: string, pass: Pass): void {
    const [oldest] = this.#passes.keys();
    if (oldest !== undefined && this.#passes.size === MAX_PASSES) this.#passes.delete(oldest);
    this.#passes.set(key, pass);
  }
}
