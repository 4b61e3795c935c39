import type { Codec } from "../../../protocol/codec/codec.ts";
import { layoutOf } from "../../contract/layout.ts";
import type { Carried } from "../../contract/trainer.ts";
import { dynamicsOf } from "../dynamics.ts";
import type { Segment, Slot } from "../ops.ts";
import type { Recompute } from "../recompute.ts";
import {
  deltaOp,
  evaluationSchedule,
  extractionSchedule,
  logitsSchedule,
  trainingSchedule,
} from "../schedule.ts";
import { packSquares, segmentsOf, squaresOf, unpackSquares } from "../second-moments.ts";
import { type GradientOptions, GradientReplica, type Pass } from "./gradient-replica.ts";
import type { Kernels } from "./kernels.ts";

/** A replica's options. */
export interface ReplicaOptions extends GradientOptions {
  /** False for a replica that only evaluates: it has no moments, no delta and no update. */
  readonly optimizes?: boolean;
}

type Floats = Float32Array<ArrayBuffer>;

/**
 * Lengths of sequences whose logits' schedule is kept: texts grow from one to the next, and making one costs as much as a
 * short one's run.
 */
const MAX_LOGITS_PASSES = 64;

/** A schedule ready to run on one sequence. */
interface LogitsPass {
  /** Where its tokens go. */
  readonly offset: number;
  readonly parts: readonly { readonly run: () => void; readonly logits: Floats }[];
}

/**
 * One thread's model, optimiser and schedules in one linear memory: the training step in synchronous pieces.
 * `tokens` are as in Trainer.step, already checked. Each schedule is compiled once a batch size; from then on
 * nothing is allocated.
 */
export class Replica extends GradientReplica {
  /** The flat vectors themselves, not copies. */
  readonly m: Floats;
  readonly residual: Floats;
  readonly #v: Floats;
  readonly #loaded: Floats;
  readonly #segments: readonly Segment[];
  readonly #evaluation = new Map<number, Pass>();
  readonly #logits = new Map<number, LogitsPass>();
  readonly #update: () => void;
  readonly #delta: () => void;

  /** Throws `device-limit`. */
  constructor(kernels: Kernels, options: ReplicaOptions, recompute?: Recompute) {
    const { shape, optimizer, optimizes = true } = options;
    const layout = layoutOf(shape);
    const segments = segmentsOf(layout, optimizer);
    const optimizing = optimizes ? layout.length : 0;
    const squares = optimizes ? squaresOf(segments) : 0;
    super(kernels, options, { optimizing, squares }, recompute);
    this.#segments = segments;
    this.m = this.floats("m", optimizing);
    this.#v = this.floats("v", squares);
    this.residual = this.floats("residual", optimizing);
    this.#loaded = this.floats("loaded", optimizing);
    const { update } = trainingSchedule(shape, this.micro, optimizer, this.needs, recompute);
    this.#update = this.device.compile(update);
    this.#delta = this.device.compile([deltaOp(shape)]);
  }

  /** Starts a ticket from checked weights and what is carried, see Trainer.load. */
  load(weights: Float32Array, carried: Partial<Carried> | "kept" = {}): void {
    this.parameters.set(weights);
    if (this.#loaded.length === 0) return; // nothing but gradients
    this.#loaded.set(weights);
    if (carried === "kept") return;
    const { v } = carried;
    if (v) this.#v.set(packSquares(this.#segments, v));
    else this.#v.fill(0);
    for (const which of ["m", "residual"] as const) {
      const values = carried[which];
      if (values) this[which].set(values);
      else this[which].fill(0);
    }
  }

  /** Copies of the moments, flat. */
  moments(): Pick<Carried, "m" | "v"> {
    return { m: this.m.slice(), v: unpackSquares(this.#segments, this.#v, this.m.length) };
  }

  /** Clips the gradients and takes optimiser step `step` (counted from 1). */
  update(step: number, rate: number): void {
    this.device.dynamics = dynamicsOf(this.options.optimizer, step, rate, 1);
    this.#update();
  }

  /** Summed loss in nats, without training. */
  evaluate(tokens: Uint16Array, batch: number): number {
    return this.pass(tokens, batch, false, this.#evaluation, (size) => this.#compileEvaluation(size));
  }

  /** A copy of the pseudo-gradient: loaded minus trained. The gradients are gone after it. */
  delta(): Floats {
    this.#delta();
    return this.gradients.slice();
  }

  /** See Trainer.extract. The gradients are gone after it. */
  extract(codec: Codec): Uint8Array<ArrayBuffer> {
    const [collect, encode] = extractionSchedule(this.options.shape, codec);
    this.device.compile([collect, encode])();
    const { buffer, byteOffset } = this.device.floats(encode.payload);
    return new Uint8Array(buffer, byteOffset, codec.payloadBytes(encode.residual.length)).slice();
  }

  /** See Trainer.adjustResidual. */
  adjustResidual(factor: number, plus?: Float32Array): void {
    const residual: Slot = { arena: "residual", offset: 0, length: this.residual.length };
    if (Math.fround(factor) !== 1) this.device.scale(residual, factor);
    if (plus === undefined) return;
    this.gradients.set(plus);
    this.device.add(residual);
  }

  /** A copy of the logits [tokens.length, vocabulary] of one sequence. */
  logits(tokens: Uint16Array): Floats {
    const pass = this.#logits.get(tokens.length) ?? this.#compileLogits(tokens.length);
    this.tokens.set(tokens, pass.offset);
    const all = new Float32Array(tokens.length * this.options.shape.vocabulary);
    let at = 0;
    for (const { run, logits } of pass.parts) {
      run();
      all.set(logits, at);
      at += logits.length;
    }
    return all;
  }

  #compileLogits(length: number): LogitsPass {
    const schedule = logitsSchedule(this.options.shape, length, this.needs);
    const pass: LogitsPass = {
      offset: schedule.tokens.inputs.offset,
      parts: schedule.parts.map(({ ops, logits }) => ({
        run: this.device.compile(ops),
        logits: this.device.floats(logits),
      })),
    };
    const [oldest] = this.#logits.keys();
    if (oldest !== undefined && this.#logits.size === MAX_LOGITS_PASSES) this.#logits.delete(oldest);
    this.#logits.set(length, pass);
    return pass;
  }

  #compileEvaluation(batch: number): Pass {
    const schedule = evaluationSchedule(this.options.shape, batch, this.needs);
    const run = this.device.compile(schedule.ops);
    return { slots: schedule.tokens, losses: this.device.floats(schedule.losses), first: run, more: run };
  }
}
