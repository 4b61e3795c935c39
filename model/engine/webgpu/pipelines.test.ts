import { expect, test } from "vitest";
import type { Kernel } from "./kernels/kernel.ts";
import { Pipelines } from "./pipelines.ts";

const kernel: Kernel = {
  name: "made up",
  code: "@compute @workgroup_size(64) fn main() {}",
  unit: 4,
  at: {},
  groups: [1, 1],
  work: { flops: 0, bytes: 0 },
};

/** A device that refuses what holds one of these words. It remembers what it was given. */
function device(...refused: string[]) {
  const given: string[] = [];
  const fake = {
    createPipelineLayout: () => ({}),
    createShaderModule: ({ code }: { code: string }) => ({
      code,
      getCompilationInfo: async () => ({ messages: [{ message: "no", lineNum: 1 }] }),
    }),
    createComputePipelineAsync: async ({ compute }: { compute: { module: { code: string } } }) => {
      given.push(compute.module.code);
      if (refused.some((word) => compute.module.code.includes(word))) throw new Error("refused");
      return { code: compute.module.code };
    },
  };
  const pipelines = new Pipelines(fake as unknown as GPUDevice, {} as GPUBindGroupLayout);
  return { pipelines, given };
}

test("a kernel in small subgroups is compiled as it is, once", async () => {
  const { pipelines, given } = device();
  const [a, b] = await Promise.all([1, 2].map(() => pipelines.of({ ...kernel, subgroupSize: 8 })));
  expect(a).toBe(b);
  expect(given).toHaveLength(1);
  expect(given[0]).toContain("enable subgroups;\nenable subgroup_size_control;\n");
  expect(given[0]).toContain("@subgroup_size(8) @compute @workgroup_size(64)");
});

test("where the device refuses the size it gets the kernel without; and no kernel otherwise", async () => {
  const choosy = device("@subgroup_size");
  await choosy.pipelines.of({ ...kernel, subgroupSize: 8 });
  expect(choosy.given).toHaveLength(2);
  expect(choosy.given[1]).not.toContain("subgroup");
  const broken = device("fn main");
  await expect(broken.pipelines.of({ ...kernel, subgroupSize: 8 })).rejects.toMatchObject({
    code: "device-wrong",
  });
  await expect(broken.pipelines.of(kernel)).rejects.toMatchObject({ code: "device-wrong" });
});
