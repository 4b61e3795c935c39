/**
 * Compiles shaders, through Dawn, with the driver that the environment names, in a process of its own: drivers without
 * hardware are let do things that end processes. argv: a JSON file of {@link Shader}s. The driver's statistics go to
 * stderr, between lines that name the shader.
 */
import { readFileSync } from "node:fs";
import { AT_BINDING, BINDINGS, DYNAMICS_BINDING } from "../../model/engine/webgpu/kernels/kernel.ts";

export interface Shader {
  readonly label: string;
  readonly code: string;
}

/** What stands before and behind a shader's statistics. */
export const BEGIN = "=== begin ";
export const END = "=== end";

/** What this needs of the package `webgpu`, which is installed beside this bench by its first run. */
interface Dawn {
  create(flags: string[]): GPU;
}

if (import.meta.main) {
  const name: string = "webgpu";
  const { create }: Dawn = await import(name);
  const shaders: Shader[] = JSON.parse(readFileSync(process.argv[2]!, "utf8"));
  const gpu = create([]);
  Object.assign(globalThis, { gpu }); // collected, it would take the adapter's threads along
  const adapter = await gpu.requestAdapter();
  if (!adapter) throw new Error("the driver offers no adapter");
  const sizes = "subgroup-size-control" as GPUFeatureName; // newer than the types
  const requiredFeatures: GPUFeatureName[] = ["subgroups", ...(adapter.features.has(sizes) ? [sizes] : [])];
  const device = await adapter.requestDevice({ requiredFeatures });
  const COMPUTE = 4;
  const entry = (binding: number, buffer: GPUBufferBindingLayout) => ({
    binding,
    visibility: COMPUTE,
    buffer,
  });
  const group = device.createBindGroupLayout({
    entries: [
      ...BINDINGS.map((_, binding) => entry(binding, { type: "storage" })),
      entry(AT_BINDING, { type: "uniform", hasDynamicOffset: true }),
      entry(DYNAMICS_BINDING, { type: "uniform" }),
    ],
  });
  const layout = device.createPipelineLayout({ bindGroupLayouts: [group] });
  for (const { label, code } of shaders) {
    process.stderr.write(`\n${BEGIN}${label}\n`);
    device.pushErrorScope("validation");
    const module = device.createShaderModule({ code });
    device.createComputePipeline({ layout, compute: { module, entryPoint: "main" } });
    const refused = await device.popErrorScope();
    process.stderr.write(`\n${END}${refused ? `: ${refused.message}` : ""}\n`);
  }
  process.exit(0); // what a device without hardware does at its end is nobody's concern
}
