import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { kernelsOf } from "../bench/kernels/counts.ts";
import { compile, type Driver, prepareDrivers, type Statistics } from "../bench/kernels/driver.ts";
import { intel, intelStatistics, prepareIntel } from "../bench/kernels/intel.ts";
import { RADV, radvStatistics } from "../bench/kernels/radv.ts";
import { SHAPES } from "../bench/kernels/shapes.ts";
import { type Kernel, shaderOf } from "../model/engine/webgpu/kernels/kernel.ts";

/**
 * The short form of `npm run bench -- kernels`, where its compilers can be had: CI fetches them, and other machines have them
 * once that bench has run.
 */
const FOLDER = join(import.meta.dirname, "../node_modules/.cache/bench-kernels");
const wanted = process.env.CI !== undefined || existsSync(join(FOLDER, "stub.json"));
const INTEL = intel(FOLDER, 8);
/** Milliseconds for downloads, at most; each of them gives up before. */
const SLOW = 400_000;

/** Kernels of the setup page's models, each code once, with the most registers that the driver spilled. */
function spilled(
  driver: Driver,
  read: (label: string, said: string) => Statistics,
  with_: Partial<Kernel> = {},
) {
  const shapes = [SHAPES.tiny, SHAPES.small, SHAPES.medium, SHAPES.large];
  const kernels = shapes.flatMap((shape) =>
    [true, false].flatMap((subgroups) => kernelsOf(shape, { software: false, subgroups })),
  );
  const codes = Map.groupBy(kernels, (kernel) => shaderOf({ ...kernel, ...with_ }));
  const shaders = [...codes].map(([code, [kernel]], i) => ({ label: `${i} ${kernel!.name}`, code }));
  const said = compile(FOLDER, driver, shaders);
  const spills = shaders.map(({ label }) => ({ label, spills: read(label, said.get(label) ?? "").spills }));
  expect(spills.length).toBeGreaterThan(40);
  return spills.filter((one) => one.spills > 0);
}

test("AMD's and Intel's compilers spill no registers of any kernel", { timeout: SLOW }, ({ skip }) => {
  const lacking = wanted ? prepareDrivers(FOLDER, [RADV, INTEL]) : "`npm run bench -- kernels` was never run";
  if (lacking !== undefined) {
    process.stderr.write(`Kernels are not compiled: ${lacking}\n`);
    skip(lacking);
  }
  expect(spilled(RADV, radvStatistics)).toEqual([]);
  const lackingIntel = prepareIntel(FOLDER);
  if (lackingIntel !== undefined)
    process.stderr.write(`Kernels are not compiled for Intel: ${lackingIntel}\n`);
  else expect(spilled(INTEL, intelStatistics, { subgroupSize: 8 })).toEqual([]);
});
