import type { Delta, Slot } from "../../ops.ts";
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

/**
 * Partial sums, a unit of them an invocation, in a dispatch for each part of the gradients; then one workgroup that adds them
 * up: ‖g‖.
 */
export function norm(parts: readonly Slot[], partials: Slot): Kernel[] {
  const most = 2 ** Math.floor(Math.log2(MAX_SUMS / parts.length));
  let end = partials.offset + 4;
  const kernels = parts.map((gradients): Kernel => {
    const { length } = gradients;
    const unit = unitOf([gradients, partials], length);
    const enough = 2 ** Math.ceil(Math.log2(length / SQUARES));
    const sums = Math.min(most, Math.max(SIZE * unit, enough));
    const code = main(
      SIZE,
      `  let first = ${index(SIZE)};
  var total = ${floatType(unit)}();
  for (var i = first; i < ${length / unit}u; i += ${sums / unit}u) {
    let g = gradients[at.gradients + i];
    total += g * g;
  }
  activations[at.partials + first] = total;`,
    );
    const at = { gradients: gradients.offset / unit, partials: end / unit };
    end += sums;
    const bound = gradients.part ? { bound: { gradients: gradients.part } } : {};
    const groups: Kernel["groups"] = [sums / unit / SIZE, 1];
    return { name: "norm-partial", code, unit, at, groups, ...bound, work: passOver(gradients, partials) };
  });
  const sums = end - partials.offset - 4;
  const whole = `
${tree("reduce_sum", SIZE, SIZE, plus)}
${main(
  SIZE,
  `  var total = 0f;
  for (var i = lane; i < ${sums}u; i += ${SIZE}u) { total += activations[at.partials + i]; }
  let sum = reduce_sum(total, lane);
  if (lane == 0u) { activations[at.norm] = sqrt(sum); }`,
)}`;
  const at = { partials: partials.offset + 4, norm: partials.offset };
  return [...kernels, { name: "norm", code: whole, unit: 1, at, groups: [1, 1], work: passOver(partials) }];
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
