import { F32 } from "../../protocol/codec/codec.ts";
import { decodeFrame, encodeFrame } from "../../protocol/frame.ts";

interface Weighted {
  readonly frame: Uint8Array<ArrayBuffer>;
  readonly weight: number;
}

/** The mean of the versions so far, around which the next one's deltas are clipped. */
export class CentredMean {
  #centre: Float32Array;

  constructor(parameters: number) {
    this.#centre = new Float32Array(parameters);
  }

  /** The deltas with the weights that clipping leaves them, and the mean beside them; the mean moves on. */
  reweighed(frames: readonly Weighted[]): readonly Weighted[] {
    const centre = this.#centre;
    const deltas = frames.map(({ frame, weight }) => ({ values: decodeFrame(frame, centre.length), weight }));
    const clipped = centredClipping(deltas, centre);
    const weighted = frames.map(({ frame }, i) => ({ frame, weight: clipped.weights[i]! }));
    let next = centre.map((value) => value * clipped.centre);
    deltas.forEach(({ values }, i) => {
      next = next.map((value, j) => value + clipped.weights[i]! * values[j]!);
    });
    this.#centre = next;
    return [...weighted, { frame: encodeFrame(F32, centre), weight: clipped.centre }];
  }
}

/**
 * Centred clipping (Karimireddy et al. 2012.10333), the published rule that ours is compared with: each delta
 * is clipped around the last version's mean c, m = c + Σ wᵢ·min(1, r ÷ ‖dᵢ − c‖)·(dᵢ − c), with weights of sum
 * 1. As weights of the dᵢ and of c, since m is a linear combination of them.
 */
export function centredClipping(
  deltas: readonly { readonly values: Float32Array; readonly weight: number }[],
  centre: Float32Array,
): { readonly weights: readonly number[]; readonly centre: number } {
  const total = deltas.reduce((sum, { weight }) => sum + weight, 0);
  const distances = deltas.map(({ values }) => distance(values, centre));
  const radius = [...distances].sort((a, b) => a - b)[distances.length >> 1] ?? 0;
  const weights = deltas.map(({ weight }, i) => {
    const far = distances[i]!;
    return (weight / total) * (far > radius ? radius / far : 1);
  });
  return { weights, centre: 1 - weights.reduce((sum, weight) => sum + weight, 0) };
}

function distance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(sum);
}
