import { AdamW } from "./adamw.js";
import { batchesOf } from "./batches.js";
import { decodeFrame, encodeFrame } from "./frame.js";
import { lossAndGradient } from "./gpt2.js";

/** The part of a delta that came too late which is added back to the residual (rule C4). */
const LATE_SHARE = 6 ** -1.5;

/**
 * What a volunteer computes, and what it keeps from ticket to ticket: moments and the residual (rules T5, C4 and L5 of
 * docs/PROTOCOL.md).
 */
export class Learner {
  #manifest;
  #adamW;
  #residual;
  /** The version that the residual was left at. */
  #left;

  constructor(manifest) {
    this.#manifest = manifest;
    this.#adamW = new AdamW(manifest.model, manifest.optimizer);
    this.#residual = new Float32Array(manifest.parameters);
  }

  /**
   * Trains a ticket on its version's weights. `steps` is how many of its steps are done: all of them, by who is honest.
   * @returns {{frame: Uint8Array, loss: number}} the delta, and the mean loss of the steps
   */
  train(ticket, weights, shard, steps = ticket.steps) {
    const { model, optimizer, delta: codec } = this.#manifest;
    const adamW = ticket.fresh ? new AdamW(model, optimizer) : this.#adamW;
    const trained = Float64Array.from(weights);
    let loss = 0;
    for (const [step, tokens] of batchesOf(shard, ticket, model.context).slice(0, steps).entries()) {
      const found = lossAndGradient(model, trained, tokens, ticket.batch);
      adamW.step(trained, found.gradient, ticket.rates[step]);
      loss += found.loss / steps;
    }
    this.#age(ticket.version);
    const total = weights.map((value, i) => value - Math.fround(trained[i]));
    if (!ticket.fresh) for (let i = 0; i < total.length; i++) total[i] += this.#residual[i];
    const frame = encodeFrame(codec, total);
    const sent = decodeFrame(frame, total.length);
    const left = total.map((value, i) => value - sent[i]);
    this.#residual = ticket.fresh ? left.map((value, i) => value + this.#residual[i]) : left;
    return { frame, loss };
  }

  /** Takes the server's answer in: undefined for a receipt, else the code of its refusal. */
  settle(code, frame) {
    if (code === undefined) return;
    if (code === "not-finite" || code === "norm-too-large") {
      const { model, optimizer } = this.#manifest;
      this.#adamW = new AdamW(model, optimizer);
    }
    if (code !== "stale" && code !== "lease-expired") {
      this.#residual.fill(0);
      return;
    }
    const sent = decodeFrame(frame, this.#residual.length);
    for (let i = 0; i < sent.length; i++) this.#residual[i] += LATE_SHARE * sent[i];
  }

  /** Shrinks the residual by the versions since it was left, and by one at least. */
  #age(version) {
    if (this.#left !== undefined) {
      const kept = this.#manifest.residualDecay ** Math.max(1, version - this.#left);
      this.#residual = this.#residual.map((value) => value * kept);
    }
    this.#left = version;
  }
}
