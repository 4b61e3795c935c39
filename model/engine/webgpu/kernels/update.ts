import type { AdamWStep, Delta, Norm } from "../../ops.ts";
import { f32, floatType, index, type Kernel, line, main, unitOf } from "./kernel.ts";
import { plus, tree } from "./rows.ts";

/** The most sums of squares that {@link norm}'s first dispatch leaves, one an invocation, without a barrier. */
const MAX_SUMS = 16_384;
/** What the norm keeps: the root of all sums, and from the fifth place on the sums. */
export const PARTIALS = 4 + MAX_SUMS;
const SIZE = 64;
/** Units an AdamW invocation takes. */
const EACH = 4;

/** Squares that one of the sums has, about, where there are not more sums than enough. */
const SQUARES = 64;

/** Two dispatches: partial sums, a unit of them an invocation, then one workgroup that adds them up: ‖g‖. */
export function norm(op: Norm): Kernel[] {
  const { gradients, partials } = op;
  const { length } = gradients;
  const unit = unitOf([gradients, partials], length);
  const enough = 2 ** Math.ceil(Math.log2(length / SQUARES));
  const sums = Math.min(MAX_SUMS, Math.max(SIZE * unit, enough));
  const partial = main(
    SIZE,
    `  let first = ${index(SIZE)};
  var total = ${floatType(unit)}();
  for (var i = first; i < ${length / unit}u; i += ${sums / unit}u) {
    let g = gradients[at.gradients + i];
    total += g * g;
  }
  activations[at.partials + first] = total;`,
  );
  const whole = `
${tree("reduce_sum", SIZE, SIZE, plus)}
${main(
  SIZE,
  `  var total = 0f;
  for (var i = lane; i < ${sums}u; i += ${SIZE}u) { total += activations[at.partials + i]; }
  let sum = reduce_sum(total, lane);
  if (lane == 0u) { activations[at.norm] = sqrt(sum); }`,
)}`;
  const at = { gradients: gradients.offset / unit, partials: (partials.offset + 4) / unit };
  const places = { partials: partials.offset + 4, norm: partials.offset };
  return [
    { name: "norm-partial", code: partial, unit, at, groups: [sums / unit / SIZE, 1] },
    { name: "norm", code: whole, unit: 1, at: places, groups: [1, 1] },
  ];
}

/** `decays` is where the tokens' arena holds one bit a parameter, set where weight decay pulls. */
export function adamW(op: AdamWStep, decays: number): Kernel {
  const { beta1, beta2 } = op;
  const unit = op.parameters.length % 4 === 0 && op.partials.offset % 4 === 0 ? 4 : 1;
  const type = floatType(unit);
  const count = op.parameters.length / unit;
  const decay =
    unit === 4
      ? `${f32(op.weightDecay)} * vec4f((vec4u(bits) >> vec4u(0u, 1u, 2u, 3u)) & vec4u(1u))`
      : `${f32(op.weightDecay)} * f32(bits & 1u)`;
  // !(norm <= clip) is true for NaN, which then shows in every weight and loss
  const code = main(
    SIZE,
    `  let length = activations[at.norm]${unit === 4 ? "[0]" : ""};
  let clip = select(1f, ${f32(op.clip)} / length, !(length <= ${f32(op.clip)}));
  for (var k = 0u; k < ${EACH}u; k++) {
    let i = (group * ${EACH}u + k) * ${SIZE}u + lane;
    if (i >= ${count}u) { return; }
    let g = gradients[i] * clip;
    let mean = ${f32(beta1)} * m[i] + ${f32(1 - beta1)} * g;
    let square = ${f32(beta2)} * v[i] + ${f32(1 - beta2)} * g * g;
    let bits = tokens[at.decays + i / ${32 / unit}u] >> ((i * ${unit}u) % 32u);
    let x = parameters[i];
    let update = mean / dynamics.correction1 / (sqrt(square / dynamics.correction2) + ${type}(${f32(op.epsilon)}));
    m[i] = mean;
    v[i] = square;
    parameters[i] = x - dynamics.rate * (update + ${decay} * x);
  }`,
  );
  const at = { norm: op.partials.offset / unit, decays };
  return { name: "adamw", code, unit, at, groups: line(Math.ceil(count / (SIZE * EACH))) };
}

/** The bits that {@link adamW} reads. */
export function decayBits({ segments, parameters }: AdamWStep): Uint32Array<ArrayBuffer> {
  const bits = new Uint32Array(Math.ceil(parameters.length / 32));
  for (const { offset, length, decays } of segments)
    if (decays) for (let i = offset; i < offset + length; i++) bits[i >>> 5]! |= 1 << (i & 31);
  return bits;
}

export function delta(op: Delta): Kernel {
  const code = main(
    SIZE,
    `  let i = ${index(SIZE)};
  if (i >= ${op.out.length}u) { return; }
  gradients[at.out + i] = loaded[i] - parameters[i];`,
  );
  const groups = line(Math.ceil(op.out.length / SIZE));
  return { name: "delta", code, unit: 1, at: { out: op.out.offset }, groups };
}
