import { AT_STRIDE, type Kernel, wordsOf } from "./kernels/kernel.ts";
import type { Memory } from "./memory.ts";
import { estimate, type Rates } from "./pace.ts";
import type { Pipelines } from "./pipelines.ts";
import { split } from "./split.ts";

interface Dispatch {
  readonly pipeline: GPUComputePipeline;
  readonly groups: Kernel["groups"];
  readonly group: GPUBindGroup;
}

/** A list of dispatches with everything they bind prepared: encoding it makes no object on the device. */
export class Program {
  /** Milliseconds of each dispatch, estimated at the rates it was linked for. */
  readonly costs: readonly number[];
  readonly #dispatches: readonly Dispatch[];
  readonly #at: GPUBuffer;

  /**
   * Splits what would take too long at `rates`, and compiles what is not compiled yet. Rejects as {@link Pipelines.of}.
   */
  static async link(
    device: GPUDevice,
    memory: Memory,
    pipelines: Pipelines,
    whole: readonly Kernel[],
    rates: Rates,
  ): Promise<Program> {
    const kernels = whole.flatMap((kernel) => split(kernel, rates));
    const compiled = await Promise.all(kernels.map((kernel) => pipelines.of(kernel)));
    const costs = kernels.map((kernel) => estimate(kernel, rates));
    return new Program(device, memory, compiled, kernels, costs);
  }

  private constructor(
    device: GPUDevice,
    memory: Memory,
    compiled: readonly GPUComputePipeline[],
    kernels: readonly Kernel[],
    costs: readonly number[],
  ) {
    this.costs = costs;
    const places = new Uint32Array((kernels.length * AT_STRIDE) / 4);
    kernels.forEach((kernel, i) => {
      places.set(wordsOf(kernel), (i * AT_STRIDE) / 4);
    });
    this.#at = device.createBuffer({
      label: "at",
      size: places.byteLength,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    device.queue.writeBuffer(this.#at, 0, places);
    const made = new Map<string, GPUBindGroup>(); // one for all dispatches that bind the same parts
    const groupFor = ({ bound }: Kernel) => {
      const key = JSON.stringify(bound ?? {});
      return made.get(key) ?? made.set(key, memory.group(this.#at, bound)).get(key)!;
    };
    this.#dispatches = kernels.map((kernel, i) => ({
      pipeline: compiled[i]!,
      groups: kernel.groups,
      group: groupFor(kernel),
    }));
  }

  /** Dispatches a pass of this program has. */
  get length(): number {
    return this.#dispatches.length;
  }

  /** Encodes the dispatches `from` … `end` − 1; none where that is nothing. */
  encode(pass: GPUComputePassEncoder, from = 0, end = this.length): void {
    for (let i = from; i < end; i++) {
      const { pipeline, groups, group } = this.#dispatches[i]!;
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group, [i * AT_STRIDE]);
      pass.dispatchWorkgroups(groups[0], groups[1], groups[2]);
    }
  }

  destroy(): void {
    this.#at.destroy();
  }
}
