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
