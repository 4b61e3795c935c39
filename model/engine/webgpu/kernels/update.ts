import type { Delta, Norm } from "../../ops.ts";
import { f32, floatType, index, type Kernel, line, main, unitOf } from "./kernel.ts";
import { plus, tree } from "./rows.ts";
import { passOver, passOverAll } from "./work.ts";

/** Sums of squares that {@link norm}'s first dispatch leaves, one an invocation, without a barrier. */
const MAX_SUMS = 16_384;
/** Values of the norm: the root of all sums, and from the fifth place on the sums. */
export const PARTIALS = 4 + MAX_SUMS;
const SIZE = 64;

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
    {
      name: "norm-partial",
      code: partial,
      unit,
      at,
      groups: [sums / unit / SIZE, 1],
      work: passOver(gradients, partials),
    },
    { name: "norm", code: whole, unit: 1, at: places, groups: [1, 1], work: passOver(partials) },
  ];
}

/** WGSL: `clip`, by which the update multiplies gradients; `norm` is what {@link norm} left. */
export const clipOf = (most: number, norm: string): string =>
  // !(norm <= most) is true for NaN, which then shows in every weight and loss
  `  let norm = ${norm};
  let clip = select(1f, ${f32(most)} / norm, !(norm <= ${f32(most)}));`;

export function delta(op: Delta): Kernel {
  const code = main(
    SIZE,
    `  let i = ${index(SIZE)};
  if (i >= ${op.out.length}u) { return; }
  gradients[at.out + i] = loaded[i] - parameters[i];`,
  );
  const groups = line(Math.ceil(op.out.length / SIZE));
  return { name: "delta", code, unit: 1, at: { out: op.out.offset }, groups, work: passOverAll(op) };
}
