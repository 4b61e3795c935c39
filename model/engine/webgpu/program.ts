import { AT_BYTES, AT_STRIDE, type Kernel } from "./kernels/kernel.ts";
import type { Memory } from "./memory.ts";
import type { Pipelines } from "./pipelines.ts";

interface Dispatch {
  readonly pipeline: GPUComputePipeline;
  readonly groups: Kernel["groups"];
}

/** A list of dispatches with everything they bind prepared: encoding it makes no object on the device. */
export class Program {
  readonly #dispatches: readonly Dispatch[];
  readonly #group: GPUBindGroup;
  readonly #at: GPUBuffer;

  /** Compiles what is not compiled yet. Rejects as {@link Pipelines.of}. */
  static async link(
    device: GPUDevice,
    memory: Memory,
    pipelines: Pipelines,
    kernels: readonly Kernel[],
  ): Promise<Program> {
    const compiled = await Promise.all(kernels.map((kernel) => pipelines.of(kernel)));
    const dispatches = kernels.map(({ groups }, i) => ({ pipeline: compiled[i]!, groups }));
    return new Program(device, memory, dispatches, kernels);
  }

  private constructor(
    device: GPUDevice,
    memory: Memory,
    dispatches: readonly Dispatch[],
    kernels: readonly Kernel[],
  ) {
    this.#dispatches = dispatches;
    const places = new Uint32Array((kernels.length * AT_STRIDE) / 4);
    kernels.forEach(({ name, at }, i) => {
      const values = Object.values(at);
      if (values.length * 4 > AT_BYTES) throw new RangeError(`${name} names too many places`);
      places.set(values, (i * AT_STRIDE) / 4);
    });
    this.#at = device.createBuffer({
      label: "at",
      size: places.byteLength,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    device.queue.writeBuffer(this.#at, 0, places);
    this.#group = memory.group(this.#at);
  }

  /** Dispatches a pass of this program has. */
  get length(): number {
    return this.#dispatches.length;
  }

  encode(pass: GPUComputePassEncoder): void {
    this.#dispatches.forEach(({ pipeline, groups }, i) => {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, this.#group, [i * AT_STRIDE]);
      pass.dispatchWorkgroups(groups[0], groups[1], groups[2]);
    });
  }

  destroy(): void {
    this.#at.destroy();
  }
}
