import { each } from "./kernel.ts";
import type { Part } from "./part.ts";
import type { Tile } from "./tile.ts";

/**
 * WGSL for a workgroup whose slices (local_z) have each a part of the same sums. Behind `code`, slice 0 has them whole: the
 * upper half of the slices is added to the lower, again and again, so the order is fixed. `variables` are vec4f.
 */
export function sumSlices(
  { down, across, slices = 1 }: Tile,
  variables: readonly string[],
): { readonly shared: Part["shared"]; readonly code: string } {
  if (slices === 1) return { shared: {}, code: "" };
  const lanes = down * across;
  const turn = (half: number) => {
    const slot = (i: number) => `slice_sums[${i * half * lanes}u + place]`;
    return `  {
    let place = (local_z % ${half}u) * ${lanes}u + local_y * ${across}u + local_x;
    if (local_z / ${half}u == 1u) {
${each(variables.length, (i) => `      ${slot(i)} = ${variables[i]};`)}
    }
    workgroupBarrier();
    if (local_z < ${half}u) {
${each(variables.length, (i) => `      ${variables[i]} += ${slot(i)};`)}
    }
    workgroupBarrier();
  }`;
  };
  const halves = Array.from({ length: Math.log2(slices) }, (_, i) => slices / 2 ** (i + 1));
  return {
    shared: { slice_sums: ["vec4f", (slices / 2) * lanes * variables.length] },
    code: `${halves.map(turn).join("\n")}
  if (local_z > 0u) { return; }`,
  };
}
