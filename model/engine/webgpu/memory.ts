import { AT_BINDING, AT_BYTES, BINDINGS, DYNAMICS_BINDING } from "./kernels/kernel.ts";

/** Lengths of the arenas in values of 4 bytes. */
export interface Lengths {
  /** Of the model's flat vector. */
  readonly parameters: number;
  /** Of the arena v (second-moments.ts). */
  readonly squares: number;
  readonly activations: number;
  readonly tokens: number;
}

/** Losses of steps that are kept on the device until somebody asks; the place behind them is evaluation's. */
export const RING = 4096;

const DYNAMICS_BYTES = 32;

export type ArenaName = (typeof BINDINGS)[number];

/** The device's arenas and how kernels see them. Everything is made here, before the first step. */
export class Memory {
  readonly layout: GPUBindGroupLayout;
  readonly dynamics: GPUBuffer;
  readonly #device: GPUDevice;
  readonly #arenas: Record<ArenaName, GPUBuffer>;

  constructor(device: GPUDevice, lengths: Lengths) {
    this.#device = device;
    const { STORAGE, COPY_SRC, COPY_DST, UNIFORM } = GPUBufferUsage;
    const arena = (label: string, values: number) =>
      device.createBuffer({ label, size: bytes(values), usage: STORAGE | COPY_SRC | COPY_DST });
    this.#arenas = {
      parameters: arena("parameters", lengths.parameters),
      gradients: arena("gradients", lengths.parameters),
      m: arena("m", lengths.parameters),
      v: arena("v", lengths.squares),
      loaded: arena("loaded", lengths.parameters),
      activations: arena("activations", lengths.activations),
      tokens: arena("tokens", lengths.tokens),
      ring: arena("ring", RING + 1),
    };
    this.dynamics = device.createBuffer({
      label: "dynamics",
      size: DYNAMICS_BYTES,
      usage: UNIFORM | COPY_DST,
    });
    const uniform = (binding: number, hasDynamicOffset: boolean): GPUBindGroupLayoutEntry => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type: "uniform", hasDynamicOffset },
    });
    this.layout = device.createBindGroupLayout({
      entries: [
        ...BINDINGS.map(
          (_, binding): GPUBindGroupLayoutEntry => ({
            binding,
            visibility: GPUShaderStage.COMPUTE,
            buffer: { type: "storage" },
          }),
        ),
        uniform(AT_BINDING, true),
        uniform(DYNAMICS_BINDING, false),
      ],
    });
  }

  arena(name: ArenaName): GPUBuffer {
    return this.#arenas[name];
  }

  /** The one bind group of a program whose dispatches' places are in `at`. */
  group(at: GPUBuffer): GPUBindGroup {
    return this.#device.createBindGroup({
      layout: this.layout,
      entries: [
        ...BINDINGS.map((name, binding) => ({ binding, resource: { buffer: this.#arenas[name] } })),
        { binding: AT_BINDING, resource: { buffer: at, size: AT_BYTES } },
        { binding: DYNAMICS_BINDING, resource: { buffer: this.dynamics } },
      ],
    });
  }

  destroy(): void {
    for (const buffer of [...Object.values(this.#arenas), this.dynamics]) buffer.destroy();
  }
}

/** Bytes of a buffer for `values`: a multiple of 16, so that it can be read as vec4f to its end. */
export const bytes = (values: number): number => Math.max(16, Math.ceil(values / 4) * 16);
