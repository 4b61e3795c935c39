import { ModelError } from "../../contract/config.ts";
import { type Kernel, shaderOf } from "./kernels/kernel.ts";

/** Compiles each kernel's code once, all of them at the same time: browsers compile in parallel. */
export class Pipelines {
  readonly #device: GPUDevice;
  readonly #layout: GPUPipelineLayout;
  readonly #compiled = new Map<string, Promise<GPUComputePipeline>>();

  constructor(device: GPUDevice, group: GPUBindGroupLayout) {
    this.#device = device;
    this.#layout = device.createPipelineLayout({ bindGroupLayouts: [group] });
  }

  /** Rejects with `device-wrong` when the device refuses the code, and, where it asks for subgroups of a size, that without, too. */
  of(kernel: Kernel): Promise<GPUComputePipeline> {
    const { subgroupSize, ...plain } = kernel;
    return subgroupSize === undefined ? this.#of(plain) : this.#of(kernel).catch(() => this.#of(plain));
  }

  #of(kernel: Kernel): Promise<GPUComputePipeline> {
    const code = shaderOf(kernel);
    let pipeline = this.#compiled.get(code);
    if (!pipeline) {
      pipeline = this.#compile(kernel.name, code);
      this.#compiled.set(code, pipeline);
    }
    return pipeline;
  }

  async #compile(label: string, code: string): Promise<GPUComputePipeline> {
    const module = this.#device.createShaderModule({ label, code });
    try {
      return await this.#device.createComputePipelineAsync({
        label,
        layout: this.#layout,
        compute: { module, entryPoint: "main" },
      });
    } catch (error) {
      const { messages } = await module.getCompilationInfo();
      const why = messages.map(({ message, lineNum }) => `${message} (line ${lineNum})`).join("; ");
      throw new ModelError("device-wrong", `the device refused the kernel ${label}: ${why || String(error)}`);
    }
  }
}
