import type { Codec } from "../../protocol/codec/codec.ts";
import type { ModelShape, Optimizer } from "./config.ts";

/**
 * Local training on one device, whatever the engine (docs/ARCHITECTURE.md §4). A trainer knows no network and
 * no storage. Steps are queued in order; only {@link Trainer.losses}, {@link Trainer.delta},
 * {@link Trainer.extract}, {@link Trainer.carried} and {@link Trainer.vector} wait for the device. Every method rejects with a ModelError
 * (`device-lost`) once the device is gone; a trainer that has rejected so is only fit for
 * {@link Trainer.dispose}. Vectors that it is given stay as they are until the promise resolves: they may be as long as the
 * model, and are not copied.
 *
 * Beside the weights a device holds what is carried from ticket to ticket: the optimiser's moments, and the
 * residual, which is what compression left out of earlier payloads (error feedback). Both stay there between tickets.
 */
export interface Trainer {
  readonly report: DeviceReport;

  /**
   * Starts a ticket from weights (flat, layoutOf(shape).length values). With `"kept"`, moments, step count and
   * residual are what the last ticket left on the device; else they are copied from `carried`, and zero where
   * nothing is given. Throws `bad-weights` on a wrong length, a value that is not finite, or `"kept"` where
   * nothing was ever loaded.
   */
  load(weights: Float32Array, carried?: Partial<Carried> | "kept"): Promise<void>;

  /**
   * One step of the optimiser at `rate` on `batch` sequences of context + 1 tokens each, row-major: the first `context`
   * are the input, the last `context` the targets. Resolves when the device can take the next one. A device that works
   * on a step in several pieces takes the rests between them; one that rejects is the last, and the step ends and then
   * rejects likewise. Throws `bad-token` when an id is not below the vocabulary.
   */
  step(tokens: Uint16Array, batch: number, rate: number, rest?: Rest): Promise<void>;

  /** Mean loss (nats a token) of every step since the last call, in order. */
  losses(): Promise<Float32Array>;

  /** The pseudo-gradient: loaded minus trained weights, flat. For tests, audits and pictures: a round extracts. */
  delta(): Promise<Float32Array>;

  /**
   * The ticket's payload (protocol/codec's bytes) of total = (loaded − trained) + residual. Afterwards the
   * residual is what the payload leaves out. Once a ticket. Throws an error of code `not-finite`, and then both are
   * spoilt.
   */
  extract(codec: Codec): Promise<Uint8Array<ArrayBuffer>>;

  /**
   * residual ← factor·residual + plus: its decay with age (0 forgets it), and a payload that was refused and is
   * added back. At any time between {@link load} and {@link extract} or after it.
   */
  adjustResidual(factor: number, plus?: Float32Array): Promise<void>;

  /** Copies of everything that is carried, to save it: three vectors read back, so now and then only. */
  carried(): Promise<Carried>;

  /** A copy of one of them. */
  vector(which: "m" | "residual"): Promise<Float32Array>;

  /** Mean loss on `batch` sequences (as in {@link step}), without training. */
  evaluate(tokens: Uint16Array, batch: number): Promise<number>;

  /**
   * Logits [tokens.length, vocabulary], row-major, for a sequence of 1 to `context` tokens: what follows each.
   */
  logits(tokens: Uint16Array): Promise<Float32Array>;

  /** Frees everything. Calling it twice is fine. */
  dispose(): void;
}

/** A rest after this many milliseconds of work. The device is idle until it resolves. */
export type Rest = (worked: number) => Promise<void>;

/** A device's state from ticket to ticket. */
export interface Carried {
  /** Mean of gradients, flat. */
  readonly m: Float32Array;
  /** Mean of squared gradients, flat; 0 in the matrices that are Muon's, which has none. */
  readonly v: Float32Array;
  /** Steps taken so far: the bias corrections' exponent. */
  readonly step: number;
  /** The residual of all payloads so far, flat. */
  readonly residual: Float32Array;
}

/** Where the training runs, for the visitor. */
export interface DeviceReport {
  readonly device: DeviceName;
  /** `fast`: the fused schedule; `tfjs`: the reference, op by op. */
  readonly engine: "fast" | "tfjs";
  /** The adapter's or processor's own description, e.g. "SwiftShader (software)", "2 threads, SIMD + FMA". */
  readonly detail: string;
  /** True where the "GPU" is a processor in disguise. */
  readonly software: boolean;
}

export type DeviceName = "webgpu" | "wasm" | "webgl" | "cpu";

/** A trainer's options. */
export interface TrainerOptions {
  readonly shape: ModelShape;
  readonly optimizer: Optimizer;
  /** The most sequences that step and evaluate will be given. */
  readonly batch: number;
  /**
   * The most sequences that the device works on at once: gradients of a larger batch are summed over several
   * micro-batches, and the optimiser steps once. Absent: as many as fit in memory.
   */
  readonly micro?: number;
}

/** Makes a trainer, or rejects with a ModelError (`device-unavailable`, `device-limit`) that says why not. */
export type TrainerFactory = (options: TrainerOptions) => Promise<Trainer>;
