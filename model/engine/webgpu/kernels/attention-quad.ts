import type { Attention, AttentionBackward } from "../../ops.ts";
import { attentionPlaces } from "./attention.ts";
import { gradientPlaces, probability } from "./attention-backward.ts";
import { each, f32, index, type Kernel, line, main } from "./kernel.ts";
import { attentionWork } from "./work.ts";

/**
 * Attention where neighbouring invocations (a quad of a subgroup, see gemm-quad.ts) load different rows and pass
 * them around: four rows a turn, each loaded once for four times `each` positions. Rows of four values only.
 */

const SIZE = 16;
const SWAPS = ["", "quadSwapX", "quadSwapY", "quadSwapDiagonal"] as const;
const FOUR = [0, 1, 2, 3] as const;

/** WGSL: `name`_s_d for s = 1 … 3 and each d: what lane ⊕ s has in `name`_0_d. */
const exchanged = (name: string, units: number): string =>
  each(3, (s) => each(units, (d) => `    let ${name}_${s + 1}_${d} = ${SWAPS[s + 1]}(${name}_0_${d});`));

const dots = (units: number, a: string, b: string): string =>
  Array.from({ length: units }, (_, d) => `dot(${a}_${d}, ${b}_${d})`).join(" + ");

interface Sides {
  readonly units: number;
  readonly width: number;
  readonly last: number;
  readonly scale: string;
}

const sidesOf = ({ size, heads, context }: Pick<Attention, "size" | "heads" | "context">): Sides => ({
  units: size / 4,
  width: (heads * size) / 4,
  last: context - 1,
  scale: f32(size ** -0.5),
});

/** Quads never straddle a head: positions past the context's end are computed and dropped. */
const blocksOf = (context: number, positions: number): number => Math.ceil(context / positions / 4) * 4;

const position = (op: Pick<Attention, "batch" | "heads" | "context" | "size">, positions: number): string => {
  const blocks = blocksOf(op.context, positions);
  return `  let i = ${index(SIZE)};
  if (i >= ${op.batch * op.heads * blocks}u) { return; }
  let l = lane & 3u;
  let block = i % ${blocks}u;
  let first = block * ${positions}u;
  let quad_first = (block - l) * ${positions}u;
  let pair = i / ${blocks}u;
  let head = (pair % ${op.heads}u) * ${op.size / 4}u;
  let sequence = (pair / ${op.heads}u) * ${op.context}u;`;
};

const groupsOf = (op: Pick<Attention, "batch" | "heads" | "context">, positions: number) =>
  line(Math.ceil((op.batch * op.heads * blocksOf(op.context, positions)) / SIZE));

const kernel = (
  name: string,
  code: string,
  at: Kernel["at"],
  groups: Kernel["groups"],
  work: Kernel["work"],
): Kernel => ({
  name,
  code: main(SIZE, code),
  unit: 4,
  at,
  groups,
  work,
  subgroups: true,
});

/** As attention.ts, four keys a turn of the online softmax. */
export function quadAttention(op: Attention, queries: number): Kernel {
  const { units, width, last, scale } = sidesOf(op);
  const score = (q: number, s: number) =>
    `    let score_${q}_${s} = select(-1e30f, ${dots(units, `q_${q}`, `k_${s}`)}, j_${s} <= first + ${q}u);`;
  const weight = (q: number, s: number) =>
    `    let p_${q}_${s} = ${probability(`score_${q}_${s}`, `high_${q}`)};`;
  const code = `${position(op, queries)}
${each(
  queries,
  (q) => `  let row_${q} = sequence + min(first + ${q}u, ${last}u);
  var top_${q} = -1e30f;
  var sum_${q} = 0f;
${each(units, (d) => `  let q_${q}_${d} = activations[at.qkv + row_${q} * ${3 * width}u + head + ${d}u] * ${scale};\n  var o_${q}_${d} = vec4f();`)}`,
)}
  for (var j = 0u; j <= min(quad_first + ${4 * queries - 1}u, ${last}u); j += 4u) {
    let key = at.qkv + (sequence + min(j + l, ${last}u)) * ${3 * width}u + ${width}u + head;
${each(units, (d) => `    let k_0_${d} = activations[key + ${d}u];\n    let v_0_${d} = activations[key + ${width + d}u];`)}
${exchanged("k", units)}
${exchanged("v", units)}
${each(4, (s) => `    let j_${s} = j + (l ^ ${s}u);`)}
${each(
  queries,
  (q) => `${each(4, (s) => score(q, s))}
    let high_${q} = max(top_${q}, max(max(score_${q}_0, score_${q}_1), max(score_${q}_2, score_${q}_3)));
    let shrink_${q} = exp(max(top_${q} - high_${q}, -80f));
${each(4, (s) => weight(q, s))}
    top_${q} = high_${q};
    sum_${q} = sum_${q} * shrink_${q} + ${FOUR.map((s) => `p_${q}_${s}`).join(" + ")};
${each(units, (d) => `    o_${q}_${d} = o_${q}_${d} * shrink_${q} + ${FOUR.map((s) => `p_${q}_${s} * v_${s}_${d}`).join(" + ")};`)}`,
)}
  }
${each(
  queries,
  (q) => `  if (first + ${q}u <= ${last}u) {
${each(units, (d) => `    activations[at.out + row_${q} * ${width}u + head + ${d}u] = o_${q}_${d} / sum_${q};`)}
${op.saved ? `    activations[at.saved + pair * ${op.context}u + first + ${q}u] = vec4f(top_${q} + log(sum_${q}), 0f, 0f, 0f);` : ""}
  }`,
)}`;
  return kernel("attention-quad", code, attentionPlaces(op, 4), groupsOf(op, queries), attentionWork(op, 2));
}

/** As attention-backward.ts: queries' dispatch, then keys'. */
export function quadAttentionBackward(op: AttentionBackward, positions: number): Kernel[] {
  return [queryGradients(op, positions), keyGradients(op, positions)];
}

function queryGradients(op: AttentionBackward, queries: number): Kernel {
  const { units, width, last, scale } = sidesOf(op);
  const code = `${position(op, queries)}
${each(
  queries,
  (q) => `  let row_${q} = sequence + min(first + ${q}u, ${last}u);
  let place_${q} = at.saved + pair * ${op.context}u + min(first + ${q}u, ${last}u);
  let log_${q} = activations[place_${q}][0];
${each(
  units,
  (d) => `  let q_${q}_${d} = activations[at.qkv + row_${q} * ${3 * width}u + head + ${d}u] * ${scale};
  let g_${q}_${d} = activations[at.dOut + row_${q} * ${width}u + head + ${d}u];
  let out_${q}_${d} = activations[at.out + row_${q} * ${width}u + head + ${d}u];
  var dq_${q}_${d} = vec4f();`,
)}
  let d_${q} = ${dots(units, `g_${q}`, `out_${q}`)};`,
)}
  for (var j = 0u; j <= min(quad_first + ${4 * queries - 1}u, ${last}u); j += 4u) {
    let key = at.qkv + (sequence + min(j + l, ${last}u)) * ${3 * width}u + ${width}u + head;
${each(units, (d) => `    let k_0_${d} = activations[key + ${d}u];\n    let v_0_${d} = activations[key + ${width + d}u];`)}
${exchanged("k", units)}
${exchanged("v", units)}
${each(4, (s) =>
  each(
    queries,
    (q) => `    let score_${q}_${s} = ${dots(units, `q_${q}`, `k_${s}`)};
    let p_${q}_${s} = select(0f, ${probability(`score_${q}_${s}`, `log_${q}`)}, j + (l ^ ${s}u) <= first + ${q}u);
    let ds_${q}_${s} = p_${q}_${s} * (${dots(units, `g_${q}`, `v_${s}`)} - d_${q});
${each(units, (d) => `    dq_${q}_${d} += ds_${q}_${s} * k_${s}_${d};`)}`,
  ),
)}
  }
${each(
  queries,
  (q) => `  if (first + ${q}u <= ${last}u) {
    activations[place_${q}] = vec4f(log_${q}, d_${q}, 0f, 0f);
${each(units, (d) => `    activations[at.dQkv + row_${q} * ${3 * width}u + head + ${d}u] = dq_${q}_${d} * ${scale};`)}
  }`,
)}`;
  const work = attentionWork(op, 3);
  return kernel("attention-backward-queries-quad", code, gradientPlaces(op, 4), groupsOf(op, queries), work);
}

function keyGradients(op: AttentionBackward, keys: number): Kernel {
  const { units, width, last, scale } = sidesOf(op);
  const code = `${position(op, keys)}
${each(
  keys,
  (q) => `  let key_${q} = (sequence + min(first + ${q}u, ${last}u)) * ${3 * width}u + ${width}u + head;
${each(
  units,
  (d) => `  let k_${q}_${d} = activations[at.qkv + key_${q} + ${d}u] * ${scale};
  let v_${q}_${d} = activations[at.qkv + key_${q} + ${width + d}u];
  var dk_${q}_${d} = vec4f();
  var dv_${q}_${d} = vec4f();`,
)}`,
)}
  for (var i = quad_first; i < ${op.context}u; i += 4u) {
    let own = min(i + l, ${last}u);
    let row = sequence + own;
    let saved_0 = activations[at.saved + pair * ${op.context}u + own].xy;
${each(3, (s) => `    let saved_${s + 1} = ${SWAPS[s + 1]}(saved_0);`)}
${each(units, (d) => `    let q_0_${d} = activations[at.qkv + row * ${3 * width}u + head + ${d}u];\n    let g_0_${d} = activations[at.dOut + row * ${width}u + head + ${d}u];`)}
${exchanged("q", units)}
${exchanged("g", units)}
${each(
  4,
  (s) => `    let i_${s} = i + (l ^ ${s}u);
${each(
  keys,
  (q) => `    let score_${q}_${s} = ${dots(units, `q_${s}`, `k_${q}`)};
    let seen_${q}_${s} = i_${s} <= ${last}u && first + ${q}u <= i_${s};
    let p_${q}_${s} = select(0f, ${probability(`score_${q}_${s}`, `saved_${s}.x`)}, seen_${q}_${s});
    let ds_${q}_${s} = p_${q}_${s} * (${dots(units, `g_${s}`, `v_${q}`)} - saved_${s}.y);
${each(units, (d) => `    dk_${q}_${d} += ds_${q}_${s} * q_${s}_${d};\n    dv_${q}_${d} += p_${q}_${s} * g_${s}_${d};`)}`,
)}`,
)}
  }
${each(
  keys,
  (q) => `  if (first + ${q}u <= ${last}u) {
${each(
  units,
  (d) => `    activations[at.dQkv + key_${q} + ${d}u] = dk_${q}_${d} * ${scale};
    activations[at.dQkv + key_${q} + ${width + d}u] = dv_${q}_${d};`,
)}
  }`,
)}`;
  const work = attentionWork(op, 4);
  return kernel("attention-backward-keys-quad", code, gradientPlaces(op, 4), groupsOf(op, keys), work);
}
