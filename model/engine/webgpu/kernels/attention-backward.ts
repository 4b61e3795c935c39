import type { AttentionBackward } from "../../ops.ts";
import {
  attentionGroups,
  attentionMain,
  attentionUnit,
  dots,
  type Heads,
  position,
  SAVED,
  visible,
} from "./attention.ts";
import { each, f32, floatType, type Kernel, type Unit } from "./kernel.ts";
import { attentionWork } from "./work.ts";

/**
 * As FlashAttention-2 (Dao 2023, arXiv 2307.08691) in two dispatches: queries first, each making its dQ and its
 * D; then keys, each making its dK and dV from the D of the queries after it. Probabilities are computed
 * again from the kept log-sum-exp; those below exp(−80) are zero.
 */
export function attentionBackward(op: AttentionBackward, heads: Heads): Kernel[] {
  return [queryGradients(op, heads), keyGradients(op, heads)];
}

/** As {@link attentionPlaces}, with those of the gradients. */
export const gradientPlaces = (op: AttentionBackward, unit: Unit) => ({
  qkv: op.qkv.offset / unit,
  out: op.out.offset / unit,
  saved: op.saved.offset / unit,
  dOut: op.dOut.offset / unit,
  dQkv: op.dQkv.offset / unit,
});

/** WGSL: query `place`'s log-sum-exp (0) or D (1). */
const saved = (unit: Unit, place: string, which: 0 | 1): string =>
  unit === 4
    ? `activations[at.saved + ${place}][${which}]`
    : `activations[at.saved + (${place}) * ${SAVED}u + ${which}u]`;

/** WGSL: exp(score − sum), which is zero below exp(−80). */
export const probability = (score: string, sum: string): string =>
  `select(exp(max(${score} - ${sum}, -80f)), 0f, ${score} - ${sum} < -80f)`;

function queryGradients(op: AttentionBackward, { each: queries }: Heads): Kernel {
  const unit = attentionUnit(op);
  const units = op.size / unit;
  const width = (op.heads * op.size) / unit;
  const last = op.context - 1;
  const scale = f32(op.size ** -0.5);
  const keep = (q: number) =>
    unit === 4
      ? `activations[at.saved + place_${q}] = vec4f(log_${q}, d_${q}, 0f, 0f);`
      : `activations[at.saved + place_${q} * ${SAVED}u + 1u] = d_${q};`;
  const code = attentionMain(`${position(op, queries, unit)}
${each(
  queries,
  (q) => `  let row_${q} = sequence + min(first + ${q}u, ${last}u);
  let place_${q} = pair * ${op.context}u + min(first + ${q}u, ${last}u);
  let log_${q} = ${saved(unit, `place_${q}`, 0)};
${each(
  units,
  (d) => `  let q_${q}_${d} = activations[at.qkv + row_${q} * ${3 * width}u + head + ${d}u] * ${scale};
  let g_${q}_${d} = activations[at.dOut + row_${q} * ${width}u + head + ${d}u];
  var dq_${q}_${d} = ${floatType(unit)}();`,
)}
  let d_${q} = ${dots(
    unit,
    units,
    (d) => `g_${q}_${d}`,
    (d) => `activations[at.out + row_${q} * ${width}u + head + ${d}u]`,
  )};`,
)}
  for (var j = 0u; j <= min(first + ${queries - 1}u, ${last}u); j++) {
    let key = at.qkv + (sequence + j) * ${3 * width}u + ${width}u + head;
${each(units, (d) => `    let k_${d} = activations[key + ${d}u];`)}
${each(units, (d) => `    let v_${d} = activations[key + ${width + d}u];`)}
${each(
  queries,
  (q) => `    let score_${q} = ${dots(
    unit,
    units,
    (d) => `q_${q}_${d}`,
    (d) => `k_${d}`,
  )};
    let p_${q} = ${visible(queries, `j <= first + ${q}u`, probability(`score_${q}`, `log_${q}`), "0f")};
    let ds_${q} = p_${q} * (${dots(
      unit,
      units,
      (d) => `g_${q}_${d}`,
      (d) => `v_${d}`,
    )} - d_${q});
${each(units, (d) => `    dq_${q}_${d} += ds_${q} * k_${d};`)}`,
)}
  }
${each(
  queries,
  (q) => `  if (first + ${q}u <= ${last}u) {
    ${keep(q)}
${each(
  units,
  (d) => `    activations[at.dQkv + row_${q} * ${3 * width}u + head + ${d}u] = dq_${q}_${d} * ${scale};`,
)}
  }`,
)}`);
  const groups = attentionGroups(op, queries);
  const work = attentionWork(op, 3);
  return { name: "attention-backward-queries", code, unit, at: gradientPlaces(op, unit), groups, work };
}

function keyGradients(op: AttentionBackward, { each: keys }: Heads): Kernel {
  const unit = attentionUnit(op);
  const type = floatType(unit);
  const units = op.size / unit;
  const width = (op.heads * op.size) / unit;
  const last = op.context - 1;
  const scale = f32(op.size ** -0.5);
  const code = attentionMain(`${position(op, keys, unit)}
${each(
  keys,
  (q) => `  let key_${q} = (sequence + min(first + ${q}u, ${last}u)) * ${3 * width}u + ${width}u + head;
${each(
  units,
  (d) => `  let k_${q}_${d} = activations[at.qkv + key_${q} + ${d}u] * ${scale};
  let v_${q}_${d} = activations[at.qkv + key_${q} + ${width + d}u];
  var dk_${q}_${d} = ${type}();
  var dv_${q}_${d} = ${type}();`,
)}`,
)}
  for (var i = first; i < ${op.context}u; i++) {
    let row = sequence + i;
    let place = pair * ${op.context}u + i;
    let log_sum = ${saved(unit, "place", 0)};
    let d = ${saved(unit, "place", 1)};
${each(
  units,
  (d) => `    let q_${d} = activations[at.qkv + row * ${3 * width}u + head + ${d}u];
    let g_${d} = activations[at.dOut + row * ${width}u + head + ${d}u];`,
)}
${each(
  keys,
  (q) => `    let score_${q} = ${dots(
    unit,
    units,
    (d) => `q_${d}`,
    (d) => `k_${q}_${d}`,
  )};
    let p_${q} = ${visible(keys, `first + ${q}u <= i`, probability(`score_${q}`, "log_sum"), "0f")};
    let ds_${q} = p_${q} * (${dots(
      unit,
      units,
      (d) => `g_${d}`,
      (d) => `v_${q}_${d}`,
    )} - d);
${each(units, (d) => `    dk_${q}_${d} += ds_${q} * q_${d};\n    dv_${q}_${d} += p_${q} * g_${d};`)}`,
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
)}`);
  const groups = attentionGroups(op, keys);
  const work = attentionWork(op, 4);
  return { name: "attention-backward-keys", code, unit, at: gradientPlaces(op, unit), groups, work };
}
