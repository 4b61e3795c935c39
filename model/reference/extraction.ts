/** Updates a residual on the CPU, for trainers without kernels for it. The encoder itself is protocol/codec's. */

/** total ← (loaded − trained) + total, each operation rounded to f32. */
export function addDelta(total: Float32Array, loaded: Float32Array, trained: Float32Array): void {
  for (let i = 0; i < total.length; i++) total[i]! += Math.fround(loaded[i]! - trained[i]!);
}

/** residual ← factor·residual + plus. A factor of 0 forgets it, whatever it held. */
export function adjust(residual: Float32Array, factor: number, plus?: Float32Array): void {
  const single = Math.fround(factor);
  if (single === 0) residual.fill(0);
  else if (single !== 1) for (let i = 0; i < residual.length; i++) residual[i]! *= single;
  if (plus) for (let i = 0; i < residual.length; i++) residual[i]! += plus[i]!;
}
