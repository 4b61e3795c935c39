import { layoutOf } from "../model/contract/layout.ts";
import type { Arena, Gemm, Op, Slot } from "../model/engine/ops.ts";

/** Arenas in doubles; tokens as doubles too. What `saved` and `partials` hold is each device's own affair. */
export type Arenas = Record<Arena, Float64Array>;

/** Does one op of the schedule in plain loops over doubles, from its docstring: what a device is held against. */
export function applyOp(op: Op, arenas: Arenas, scale = 1): void {
  const view = (slot: Slot) => arenas[slot.arena].subarray(slot.offset, slot.offset + slot.length);
  const maybe = (slot: Slot | null) => (slot ? view(slot) : null);
  switch (op.op) {
    case "embed": {
      const [tokens, table, positions, out] = [op.tokens, op.table, op.positions, op.out].map(view) as Views;
      for (let r = 0; r < op.rows; r++)
        for (let c = 0; c < op.width; c++)
          out[r * op.width + c] =
            table[tokens[r]! * op.width + c]! + positions[(r % op.context) * op.width + c]!;
      return;
    }
    case "embed-backward": {
      const [dOut, starts, order, dTable] = [op.dOut, op.starts, op.order, op.dTable].map(view) as Views;
      const dPositions = view(op.dPositions);
      if (!op.accumulate) dPositions.fill(0);
      for (let token = 0; token < op.vocabulary; token++)
        for (let k = starts[token]!; k < starts[token + 1]!; k++)
          for (let c = 0; c < op.width; c++) dTable[token * op.width + c]! += dOut[order[k]! * op.width + c]!;
      for (let r = 0; r < op.rows; r++)
        for (let c = 0; c < op.width; c++)
          dPositions[(r % op.context) * op.width + c]! += dOut[r * op.width + c]!;
      return;
    }
    case "layernorm": {
      const [x, weight, bias, out] = [op.x, op.weight, op.bias, op.out].map(view) as Views;
      const stats = view(op.stats);
      for (let r = 0; r < op.rows; r++) {
        const row = x.subarray(r * op.width, (r + 1) * op.width);
        const mean = row.reduce((a, b) => a + b, 0) / op.width;
        const rho = 1 / Math.sqrt(row.reduce((a, b) => a + (b - mean) ** 2, 0) / op.width + 1e-5);
        stats.set([mean, rho], 2 * r);
        for (let c = 0; c < op.width; c++)
          out[r * op.width + c] = (row[c]! - mean) * rho * weight[c]! + bias[c]!;
      }
      return;
    }
    case "layernorm-backward": {
      const [x, stats, weight, dOut] = [op.x, op.stats, op.weight, op.dOut].map(view) as Views;
      const [dx, dWeight, dBias] = [op.dx, op.dWeight, op.dBias].map(view) as Views;
      const { width } = op;
      if (!op.accumulate) dWeight.fill(0);
      if (!op.accumulate) dBias.fill(0);
      for (let r = 0; r < op.rows; r++) {
        const [mean, rho] = [stats[2 * r]!, stats[2 * r + 1]!];
        const hat = (c: number) => (x[r * width + c]! - mean) * rho;
        let center = 0;
        let along = 0;
        for (let c = 0; c < width; c++) {
          const d = dOut[r * width + c]!;
          dWeight[c]! += d * hat(c);
          dBias[c]! += d;
          center += (d * weight[c]!) / width;
          along += (d * weight[c]! * hat(c)) / width;
        }
        for (let c = 0; c < width; c++) {
          const value = rho * (dOut[r * width + c]! * weight[c]! - center - hat(c) * along);
          dx[r * width + c] = value + (op.residual ? dx[r * width + c]! : 0);
        }
      }
      return;
    }
    case "gemm":
      applyGemm(op, view, maybe);
      return;
    case "gelu":
      view(op.out).set(view(op.pre).map(gelu));
      return;
    case "attention":
    case "attention-backward":
      applyAttention(op, view);
      return;
    case "cross-entropy": {
      const [logits, targets, losses] = [op.logits, op.targets, op.losses].map(view) as Views;
      for (let r = 0; r < op.rows; r++) {
        const from = r * op.stride;
        const row = logits.subarray(from, from + op.vocabulary);
        const p = softmax([...row]);
        losses[r] = -Math.log(p[targets[r]!]!);
        if (!op.gradient) continue;
        row.set(p.map((value, c) => (value - (c === targets[r]! ? 1 : 0)) * scale));
        logits.fill(0, from + op.vocabulary, from + op.stride);
      }
      return;
    }
    case "delta": {
      const [loaded, parameters, out] = [op.loaded, op.parameters, op.out].map(view) as Views;
      out.forEach((_, i) => {
        out[i] = loaded[i]! - parameters[i]!;
      });
      return;
    }
    default:
      throw new Error(`${op.op} is checked by the whole step`);
  }
}

type Views = [Float64Array, Float64Array, Float64Array, Float64Array];

function applyGemm(
  op: Gemm,
  view: (slot: Slot) => Float64Array,
  maybe: (slot: Slot | null) => Float64Array | null,
): void {
  const { m, n, k, mode, stride } = op;
  const [rowA, rowOut] = { NN: [stride, n], NT: [k, stride], TN: [stride, n] }[mode] as [number, number];
  const [a, b, out] = [op.a, op.b, op.out].map(view) as Views;
  const [bias, residual, pre, biasGradient] = [op.bias, op.residual, op.pre, op.biasGradient].map(maybe);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let value = 0;
      for (let x = 0; x < k; x++)
        value += a[mode === "TN" ? x * rowA + i : i * rowA + x]! * b[mode === "NT" ? j * k + x : x * n + j]!;
      value += (bias?.[j] ?? 0) + (residual?.[i * n + j] ?? 0);
      if (op.activation === "gelu") {
        if (pre) pre[i * n + j] = value;
        value = gelu(value);
      }
      if (op.activation === "gelu-backward" && pre) {
        const x = pre[i * n + j]!;
        value *= (gelu(x + 1e-5) - gelu(x - 1e-5)) / 2e-5;
      }
      out[i * rowOut + j] = value + (op.accumulate ? out[i * rowOut + j]! : 0);
    }
  if (!biasGradient) return;
  for (let j = 0; j < n; j++) {
    let value = op.accumulate ? biasGradient[j]! : 0;
    for (let x = 0; x < k; x++) value += b[x * n + j]!;
    biasGradient[j] = value;
  }
}

function applyAttention(
  op: Extract<Op, { op: "attention" | "attention-backward" }>,
  view: (slot: Slot) => Float64Array,
): void {
  const { batch, context, heads, size } = op;
  const [qkv, out] = [op.qkv, op.out].map(view) as Views;
  const width = heads * size;
  const backward = op.op === "attention-backward" ? { dOut: view(op.dOut), dQkv: view(op.dQkv) } : null;
  (backward?.dQkv ?? out).fill(0);
  for (let b = 0; b < batch; b++)
    for (let h = 0; h < heads; h++)
      for (let i = 0; i < context; i++) {
        const query = (b * context + i) * 3 * width + h * size;
        const mine = (b * context + i) * width + h * size;
        const key = (j: number) => (b * context + j) * 3 * width + width + h * size;
        const sum = (f: (d: number) => number) =>
          Array.from({ length: size }, (_, d) => f(d)).reduce((x, y) => x + y, 0);
        const scores = Array.from(
          { length: i + 1 },
          (_, j) => sum((d) => qkv[query + d]! * qkv[key(j) + d]!) / Math.sqrt(size),
        );
        const p = softmax(scores);
        if (!backward) {
          p.forEach((weight, j) => {
            for (let d = 0; d < size; d++) out[mine + d]! += weight * qkv[key(j) + width + d]!;
          });
          continue;
        }
        const { dOut, dQkv } = backward;
        const dP = p.map((_, j) => sum((d) => dOut[mine + d]! * qkv[key(j) + width + d]!));
        const D = p.reduce((total, weight, j) => total + weight * dP[j]!, 0);
        p.forEach((weight, j) => {
          const dS = (weight * (dP[j]! - D)) / Math.sqrt(size);
          for (let d = 0; d < size; d++) {
            dQkv[query + d]! += dS * qkv[key(j) + d]!;
            dQkv[key(j) + d]! += dS * qkv[query + d]!;
            dQkv[key(j) + width + d]! += weight * dOut[mine + d]!;
          }
        });
      }
}

const gelu = (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

function softmax(values: number[]): number[] {
  const top = Math.max(...values);
  const powers = values.map((value) => Math.exp(value - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** The largest ‖a − b‖ ÷ ‖b‖ over the tensors of two flat vectors, and where. */
export function worstTensor(
  shape: Parameters<typeof layoutOf>[0],
  a: ArrayLike<number>,
  b: ArrayLike<number>,
): { name: string; error: number } {
  let worst = { name: "", error: 0 };
  for (const { name, offset, length } of layoutOf(shape).tensors) {
    const error = relative(a, b, offset, length);
    if (!(error <= worst.error)) worst = { name, error };
  }
  return worst;
}

/** ‖a − b‖ ÷ ‖b‖ over a piece of two vectors. */
export function relative(a: ArrayLike<number>, b: ArrayLike<number>, offset = 0, length = b.length): number {
  let difference = 0;
  let size = 0;
  for (let i = offset; i < offset + length; i++) {
    difference += (a[i]! - b[i]!) ** 2;
    size += b[i]! ** 2;
  }
  return size === 0 ? Math.sqrt(difference) : Math.sqrt(difference / size);
}
