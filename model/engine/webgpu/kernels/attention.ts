import type { Attention } from "../../ops.ts";
import { each, f32, floatType, index, type Kernel, line, main, type Unit, unitOf } from "./kernel.ts";
import { attentionWork } from "./work.ts";

/**
 * How many queries (forward, dQ) or keys (dK, dV) an invocation takes. More of them share each load, which a
 * processor likes; a real GPU has few registers and broadcasts a load that all lanes make together.
 */
export interface Heads {
  readonly each: 1 | 2 | 4;
  /** Whether quads exchange what they load (attention-quad.ts): measured on SwiftShader only, so only there. */
  readonly quads: boolean;
  /** Where four invocations share a position (attention-lanes.ts), what they exchange sums through. */
  readonly shared?: Exchange;
  /** Whether those invocations are to be in subgroups of 8. */
  readonly eights?: boolean;
}

/** Quad swaps, which need the feature `subgroups`, or workgroup memory. */
export type Exchange = "quad" | "workgroup";

const SIZE = 64;

/** Values that attention keeps for each query: (log-sum-exp of its scores, D of the backward, –, –), so that a row is a vec4. */
export const SAVED = 4;

/** Values of an attention op read four at a time, or one. */
export const attentionUnit = (op: Pick<Attention, "qkv" | "out" | "saved" | "size">): Unit =>
  unitOf([op.qkv, op.out, op.saved], op.size);

/** WGSL: `SIZE` invocations a group, each a sequence, a head and `each` neighbouring positions from `first`. */
export const position = (
  op: Pick<Attention, "batch" | "heads" | "context" | "size">,
  each: number,
  unit: Unit,
) => {
  const blocks = Math.ceil(op.context / each);
  return `  let i = ${index(SIZE)};
  if (i >= ${op.batch * op.heads * blocks}u) { return; }
  let first = (i % ${blocks}u) * ${each}u;
  let pair = i / ${blocks}u;
  let head = (pair % ${op.heads}u) * ${op.size / unit}u;
  let sequence = (pair / ${op.heads}u) * ${op.context}u;`;
};

export const attentionGroups = (op: Pick<Attention, "batch" | "heads" | "context">, each: number) =>
  line(Math.ceil((op.batch * op.heads * Math.ceil(op.context / each)) / SIZE));

/** Where an attention op's slots lie, in units. */
export const attentionPlaces = ({ qkv, out, saved }: Attention, unit: Unit): Kernel["at"] => ({
  qkv: qkv.offset / unit,
  out: out.offset / unit,
  ...(saved && { saved: saved.offset / unit }),
});

export const attentionMain = (body: string): string => main(SIZE, body);

/**
 * WGSL: `value` where the causal mask allows it, else `otherwise`. A select, not a branch: branches around this
 * many variables take SwiftShader ten times longer to compile, and hardware would run both sides anyway.
 */
export const visible = (positions: number, allowed: string, value: string, otherwise: string): string =>
  positions === 1 ? value : `select(${otherwise}, ${value}, ${allowed})`;

/** The product of two units, as a number. */
export const dot = (unit: Unit, a: string, b: string): string =>
  unit === 4 ? `dot(${a}, ${b})` : `${a} * ${b}`;

/** WGSL: `name` = Σ_d a_d·b_d over `count` units. */
export const dots = (unit: Unit, count: number, a: (d: number) => string, b: (d: number) => string): string =>
  Array.from({ length: count }, (_, d) => dot(unit, a(d), b(d))).join(" + ");

/**
 * Online softmax (Milakov & Gimelshein 2018, arXiv 1805.02867): one pass over the keys, keeping the largest
 * score so far, the sum and the weighted values relative to it.
 */
export function attention(op: Attention, { each: queries }: Heads): Kernel {
  const unit = attentionUnit(op);
  const units = op.size / unit;
  const width = (op.heads * op.size) / unit;
  const last = op.context - 1;
  const save =
    unit === 4
      ? (q: number) => `activations[at.saved + place_${q}] = vec4f(top_${q} + log(sum_${q}), 0f, 0f, 0f);`
      : (q: number) => `activations[at.saved + place_${q} * ${SAVED}u] = top_${q} + log(sum_${q});`;
  const code = attentionMain(`${position(op, queries, unit)}
${each(
  queries,
  (q) => `  let row_${q} = sequence + min(first + ${q}u, ${last}u);
  var top_${q} = -1e30f;
  var sum_${q} = 0f;
${each(
  units,
  (
    d,
  ) => `  let q_${q}_${d} = activations[at.qkv + row_${q} * ${3 * width}u + head + ${d}u] * ${f32(op.size ** -0.5)};
  var o_${q}_${d} = ${floatType(unit)}();`,
)}`,
)}
  for (var j = 0u; j <= min(first + ${queries - 1}u, ${last}u); j++) {
    let key = at.qkv + (sequence + j) * ${3 * width}u + ${width}u + head;
${each(units, (d) => `    let k_${d} = activations[key + ${d}u];`)}
${each(units, (d) => `    let v_${d} = activations[key + ${width + d}u];`)}
${each(
  queries,
  (q) => `    let score_${q} = ${visible(
    queries,
    `j <= first + ${q}u`,
    dots(
      unit,
      units,
      (d) => `q_${q}_${d}`,
      (d) => `k_${d}`,
    ),
    "-1e30f",
  )};
    let high_${q} = max(top_${q}, score_${q});
    let shrink_${q} = exp(max(top_${q} - high_${q}, -80f));
    let p_${q} = select(exp(max(score_${q} - high_${q}, -80f)), 0f, score_${q} - high_${q} < -80f);
    top_${q} = high_${q};
    sum_${q} = sum_${q} * shrink_${q} + p_${q};
${each(units, (d) => `    o_${q}_${d} = o_${q}_${d} * shrink_${q} + p_${q} * v_${d};`)}`,
)}
  }
${each(
  queries,
  (q) => `  if (first + ${q}u <= ${last}u) {
${each(units, (d) => `    activations[at.out + row_${q} * ${width}u + head + ${d}u] = o_${q}_${d} / sum_${q};`)}
${op.saved ? `    let place_${q} = pair * ${op.context}u + first + ${q}u;\n    ${save(q)}` : ""}
  }`,
)}`);
  const groups = attentionGroups(op, queries);
  return { name: "attention", code, unit, at: attentionPlaces(op, unit), groups, work: attentionWork(op, 2) };
}
