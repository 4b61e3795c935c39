import type { AdamW, ModelShape } from "../../contract/config.ts";
import { dynamicsOf } from "../dynamics.ts";
import { writeBatch } from "../tokens.ts";
import type { Fit } from "./fit.ts";
import type { Memory } from "./memory.ts";

/** Which rows of a step a micro-batch holds, and where its part of the step's loss goes. */
export interface MicroBatch {
  /** The step's sequences, [batch, context + 1], row-major. */
  readonly tokens: Uint16Array;
  readonly batch: number;
  /** The first of the sequences that this micro-batch takes; as many follow as its schedule holds. */
  readonly from: number;
  /** Place in the ring of losses; overwritten by the first micro-batch, added to by those after it. */
  readonly ring: number;
}

/** Data that the host writes before each micro-batch: its tokens, and the few numbers that differ from step to step. */
export class Inputs {
  readonly #queue: GPUQueue;
  readonly #memory: Memory;
  readonly #fit: Fit;
  readonly #shape: ModelShape;
  /** The tokens' arena as the host sees it, and a micro-batch padded to the schedule's. */
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #padded: Uint16Array;
  readonly #dynamics = new DataView(new ArrayBuffer(32));

  constructor(queue: GPUQueue, memory: Memory, fit: Fit, shape: ModelShape) {
    this.#queue = queue;
    this.#memory = memory;
    this.#fit = fit;
    this.#shape = shape;
    this.#words = new Uint32Array(fit.tokens);
    this.#padded = new Uint16Array(fit.training.batch * (shape.context + 1));
  }

  /** Data for the update of step `step` (counted from 1); it goes out with the next micro-batch. */
  setStep(optimizer: AdamW, step: number, rate: number): void {
    const { correction1, correction2 } = dynamicsOf(optimizer, step, rate, 1);
    this.#dynamics.setFloat32(4, rate, true);
    this.#dynamics.setFloat32(8, correction1, true);
    this.#dynamics.setFloat32(12, correction2, true);
  }

  /** Writes a micro-batch for the schedule; sequences that are missing at the end are padding. */
  write({ tokens, batch, from, ring }: MicroBatch, schedule: Fit["training"] | Fit["evaluation"]): void {
    const { context } = this.#shape;
    const count = Math.min(schedule.batch, batch - from);
    this.#padded.fill(0);
    this.#padded.set(tokens.subarray(from * (context + 1), (from + count) * (context + 1)));
    writeBatch(this.#words, schedule.tokens, this.#padded, 0, context, schedule === this.#fit.training);
    this.#dynamics.setFloat32(0, 1 / (batch * context), true);
    this.#dynamics.setUint32(16, ring, true);
    this.#dynamics.setUint32(20, from === 0 ? 0 : 1, true);
    this.#dynamics.setUint32(24, count * context, true);
    this.#queue.writeBuffer(this.#memory.dynamics, 0, this.#dynamics.buffer);
    this.#queue.writeBuffer(this.#memory.arena("tokens"), 0, this.#words);
  }
}
