/** The outer step's settings, as the run file has them. */
export interface Outer {
  readonly kind: "average" | "nesterov";
  readonly rate: number;
  readonly momentum: number;
}

/**
 * Moves `theta` against the mean delta `g` (downloaded minus trained weights), in place, in plain f32:
 * - average: θ ← θ − rate·g (at rate 1 the mean of the volunteers' weights; FedAvg, 1602.05629);
 * - nesterov: m ← μ·m + g; θ ← θ − rate·(g + μ·m) (DiLoCo, 2311.08105).
 */
export function outerStep(outer: Outer, theta: Float32Array, momentum: Float32Array, g: Float32Array): void {
  const rate = Math.fround(outer.rate);
  if (outer.kind === "average") {
    for (let i = 0; i < theta.length; i++) theta[i] = theta[i]! - Math.fround(rate * g[i]!);
    return;
  }
  const mu = Math.fround(outer.momentum);
  for (let i = 0; i < theta.length; i++) {
    const m = Math.fround(Math.fround(mu * momentum[i]!) + g[i]!);
    momentum[i] = m;
    const step = Math.fround(g[i]! + Math.fround(mu * m));
    theta[i] = theta[i]! - Math.fround(rate * step);
  }
}
