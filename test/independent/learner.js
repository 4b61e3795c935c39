import { AdamW } from "./adamw.js";
import { batchesOf } from "./batches.js";
import { decodeFrame, encodeFrame } from "./frame.js";
import { lossAndGradient } from "./gpt2.js";
import { Muon } from "./muon.js";

/** The part of a delta that came too late which is added back to the residual (rule C4). */
const LATE_SHARE = 6 ** -1.5;

/**
 * What a volunteer computes, and what it keeps from ticket to ticket: moments and the residual (rules T5, C4 and L5 of
 * docs/PROTOCOL.md).
 */
export class Learner {
  #manifest;
  #optimizer;
  /** Whose moments they are. */
  #inner;
  #residual;
  /** The version that the residual was left at. */
  #left;

  constructor(manifest) {
    this.#manifest = manifest;
    this.#residual = new Float32Array(manifest.parameters);
  }

  /**
   * Trains a ticket on its version's weights. `most` is how many of its steps are done at most, all of them by who is
   * honest, and `inTime` says whether there is time for one more after so many.
   * @returns {{frame: Uint8Array, loss: number, steps: number}} the delta, the mean loss of the steps, and their number
   */
  train(ticket, weights, shard, most = ticket.steps, inTime = () => true) {
    const { model } = this.#manifest;
    const codec = ticket.delta ?? this.#manifest.delta;
    const optimizer = this.#optimizerFor(ticket);
    const trained = Float64Array.from(weights);
    let steps = 0;
    let losses = 0;
    for (const tokens of batchesOf(shard, ticket, model.context).slice(0, most)) {
      if (steps > 0 && !inTime(steps)) break;
      const found = lossAndGradient(model, trained, tokens, ticket.batch);
      optimizer.step(trained, found.gradient, ticket.rates[steps++]);
      losses += found.loss;
    }
    const loss = losses / steps;
    this.#age(ticket.version);
    const total = weights.map((value, i) => value - Math.fround(trained[i]));
    if (!ticket.fresh) for (let i = 0; i < total.length; i++) total[i] += this.#residual[i];
    const frame = encodeFrame(codec, total);
    const sent = decodeFrame(frame, total.length);
    const left = total.map((value, i) => value - sent[i]);
    this.#residual = ticket.fresh ? left.map((value, i) => value + this.#residual[i]) : left;
    return { frame, loss, steps };
  }

  /** Takes the server's answer in: undefined for a receipt, else the code of its refusal. */
  settle(code, frame) {
    if (code === undefined) return;
    if (code === "not-finite" || code === "norm-too-large") this.#optimizer = undefined;
    if (code !== "stale" && code !== "lease-expired") {
      this.#residual.fill(0);
      return;
    }
    const sent = decodeFrame(frame, this.#residual.length);
    for (let i = 0; i < sent.length; i++) this.#residual[i] += LATE_SHARE * sent[i];
  }

  /** With the moments of the ticket before, unless this one is fresh or of another inner optimiser. */
  #optimizerFor(ticket) {
    const { model, optimizer } = this.#manifest;
    const inner = ticket.inner ?? optimizer.inner ?? "adamw";
    const anew = () => (inner === "muon" ? new Muon(model, optimizer) : new AdamW(model, optimizer));
    if (inner !== this.#inner) this.#optimizer = undefined;
    this.#inner = inner;
    if (ticket.fresh) return anew();
    this.#optimizer ??= anew();
    return this.#optimizer;
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
