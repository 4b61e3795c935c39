import type { Codec } from "../../../protocol/codec/codec.ts";
import type { ModelShape, Optimizer } from "../../contract/config.ts";
import { layoutOf } from "../../contract/layout.ts";
import type { Carried } from "../../contract/trainer.ts";
import type { DeviceNeeds } from "../device-needs.ts";
import { dynamicsOf } from "../dynamics.ts";
import { fitBatch } from "../fit.ts";
import type { TokenSlots } from "../network.ts";
import type { Arena, Segment, Slot } from "../ops.ts";
import type { Arenas } from "../plan.ts";
import {
  deltaOp,
  evaluationSchedule,
  extractionSchedule,
  logitsSchedule,
  trainingSchedule,
} from "../schedule.ts";
import { packSquares, segmentsOf, squaresOf, unpackSquares } from "../second-moments.ts";
import { writeBatch } from "../tokens.ts";
import { ADDRESSABLE, mapMemory, needsOf, WasmDevice } from "./device.ts";
import type { Kernels } from "./kernels.ts";

/** A replica's options. */
export interface ReplicaOptions {
  readonly shape: ModelShape;
  readonly optimizer: Optimizer;
  /** The most sequences a call brings. */
  readonly batch: number;
  /** The most of them at once; absent, as many as fit. */
  readonly micro?: number;
  /** Bytes of linear memory to stay within: more sequences than fit accumulate their gradients. */
  readonly memoryLimit: number;
  /** False where only gradients are computed: then there are no moments, no delta and no update. */
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
  readonly logits: Floats;
  readonly run: () => void;
}

/** A schedule ready to run on one micro-batch. */
interface Pass {
  readonly slots: TokenSlots;
  /** Nats a row. */
  readonly losses: Floats;
  readonly first: () => void;
  readonly more: () => void;
}

/**
 * One thread's model, optimiser and schedules in one linear memory: the training step in synchronous pieces.
 * `tokens` are as in Trainer.step, already checked. Each schedule is compiled once a batch size; from then on
 * nothing is allocated.
 */
export class Replica {
  /** Bytes of linear memory, known before the first step. */
  readonly bytes: number;
  /** The flat vectors themselves, not copies. */
  readonly parameters: Floats;
  readonly gradients: Floats;
  readonly m: Floats;
  readonly residual: Floats;
  /** Sequences of the largest micro-batch. */
  readonly micro: number;
  /** For further schedules on this memory (scorer.ts): where they run, what that needs, the tokens' arena, and all lengths. */
  readonly device: WasmDevice;
  readonly needs: DeviceNeeds;
  readonly tokens: Uint32Array;
  readonly arenas: Arenas;
  readonly #v: Floats;
  readonly #loaded: Floats;
  readonly #segments: readonly Segment[];
  readonly #options: ReplicaOptions;
  readonly #training = new Map<number, Pass>();
  readonly #evaluation = new Map<number, Pass>();
  readonly #logits = new Map<number, LogitsPass>();
  readonly #update: () => void;
  readonly #delta: () => void;

  /** Throws `device-limit`. */
  constructor(kernels: Kernels, options: ReplicaOptions) {
    const { shape, batch, micro = batch, optimizer, memoryLimit, optimizes = true } = options;
    const layout = layoutOf(shape);
    const { length } = layout;
    this.#segments = segmentsOf(layout, optimizer);
    const optimizing = optimizes ? length : 0;
    const squares = optimizes ? squaresOf(this.#segments) : 0;
    const vectors = { parameters: length, optimizing, squares };
    const map = (arenas: Arenas) => mapMemory(kernels.heapBase(), vectors, arenas);
    const limit = Math.min(memoryLimit, ADDRESSABLE);
    this.needs = needsOf(kernels);
    const most = Math.min(batch, micro);
    const fit = fitBatch(shape, most, optimizer, this.needs, limit, (arenas) => map(arenas).end);
    this.bytes = map(fit.arenas).end;
    this.#options = options;
    this.micro = fit.batch;
    this.arenas = fit.arenas;
    this.device = new WasmDevice(kernels, map(fit.arenas));
    const floats = (arena: Arena, values: number) => this.device.floats({ arena, offset: 0, length: values });
    this.parameters = floats("parameters", length);
    this.gradients = floats("gradients", length);
    this.m = floats("m", optimizing);
    this.#v = floats("v", squares);
    this.residual = floats("residual", optimizing);
    this.#loaded = floats("loaded", optimizing);
    this.tokens = this.device.tokens(fit.arenas.tokens);
    const { update } = trainingSchedule(shape, fit.batch, optimizer, this.needs);
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

  /**
   * Fills {@link Replica.gradients} with `batch` sequences' part of the gradient of a mean loss over `rows` rows.
   * Returns their summed loss in nats.
   */
  backward(tokens: Uint16Array, batch: number, rows: number): number {
    this.device.dynamics = { ...this.device.dynamics, lossScale: 1 / rows };
    return this.#passes(tokens, batch, true);
  }

  /** Clips the gradients and takes optimiser step `step` (counted from 1). */
  update(step: number, rate: number): void {
    this.device.dynamics = dynamicsOf(this.#options.optimizer, step, rate, 1);
    this.#update();
  }

  /** Summed loss in nats, without training. */
  evaluate(tokens: Uint16Array, batch: number): number {
    return this.#passes(tokens, batch, false);
  }

  /** A copy of the pseudo-gradient: loaded minus trained. The gradients are gone after it. */
  delta(): Floats {
    this.#delta();
    return this.gradients.slice();
  }

  /** See Trainer.extract. The gradients are gone after it. */
  extract(codec: Codec): Uint8Array<ArrayBuffer> {
    const [collect, encode] = extractionSchedule(this.#options.shape, codec);
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
    pass.run();
    return pass.logits.slice();
  }

  #compileLogits(length: number): LogitsPass {
    const schedule = logitsSchedule(this.#options.shape, length, this.needs);
    const pass: LogitsPass = {
      offset: schedule.tokens.inputs.offset,
      logits: this.device.floats(schedule.logits),
      run: this.device.compile(schedule.ops),
    };
    const [oldest] = this.#logits.keys();
    if (oldest !== undefined && this.#logits.size === MAX_LOGITS_PASSES) this.#logits.delete(oldest);
    this.#logits.set(length, pass);
    return pass;
  }

  #passes(tokens: Uint16Array, batch: number, training: boolean): number {
    let loss = 0;
    for (let done = 0; done < batch; done += this.micro) {
      const pass = this.#passOf(Math.min(this.micro, batch - done), training);
      writeBatch(this.tokens, pass.slots, tokens, done, this.#options.shape.context, training);
      if (done === 0) pass.first();
      else pass.more();
      for (let row = 0; row < pass.losses.length; row++) loss += pass.losses[row]!;
    }
    return loss;
  }

  #passOf(batch: number, training: boolean): Pass {
    const passes = training ? this.#training : this.#evaluation;
    const known = passes.get(batch);
    if (known) return known;
    const pass = training ? this.#compileTraining(batch) : this.#compileEvaluation(batch);
    passes.set(batch, pass);
    return pass;
  }

  #compileTraining(batch: number): Pass {
    const { shape, optimizer } = this.#options;
    const schedule = trainingSchedule(shape, batch, optimizer, this.needs);
    const [first, more] = [this.device.compile(schedule.first), this.device.compile(schedule.more)];
    return { slots: schedule.tokens, losses: this.device.floats(schedule.losses), first, more };
  }

  #compileEvaluation(batch: number): Pass {
    const schedule = evaluationSchedule(this.#options.shape, batch, this.needs);
    const run = this.device.compile(schedule.ops);
    return { slots: schedule.tokens, losses: this.device.floats(schedule.losses), first: run, more: run };
  }
}
