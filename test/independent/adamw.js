import { layoutOf } from "./layout.js";

/** AdamW over the flat vector, in doubles: rule L4 of docs/PROTOCOL.md. */
export class AdamW {
  #settings;
  #decays;
  #m;
  #v;
  #t = 0;

  constructor(shape, settings) {
    const { tensors, length } = layoutOf(shape);
    this.#settings = settings;
    this.#m = new Float64Array(length);
    this.#v = new Float64Array(length);
    this.#decays = new Uint8Array(length);
    for (const tensor of tensors) {
      if (tensor.shape.length === 2) this.#decays.fill(1, tensor.offset, tensor.offset + tensor.length);
    }
  }

  /** One step in place. Returns the gradient's norm before it was clipped. */
  step(weights, gradient, rate) {
    const { beta1, beta2, epsilon, weightDecay, clip } = this.#settings;
    const [m, v, decays] = [this.#m, this.#v, this.#decays];
    let squares = 0;
    for (let i = 0; i < gradient.length; i++) squares += gradient[i] * gradient[i];
    const norm = Math.sqrt(squares);
    const scale = clip / Math.max(norm, clip);
    this.#t++;
    const correct1 = 1 - beta1 ** this.#t;
    const correct2 = 1 - beta2 ** this.#t;
    for (let i = 0; i < weights.length; i++) {
      const g = gradient[i] * scale;
      m[i] = beta1 * m[i] + (1 - beta1) * g;
      v[i] = beta2 * v[i] + (1 - beta2) * g * g;
      const kept = weights[i] * (1 - rate * weightDecay * decays[i]);
      weights[i] = kept - (rate * (m[i] / correct1)) / (Math.sqrt(v[i] / correct2) + epsilon);
    }
    return norm;
  }
}
