import { AT_BINDING, AT_BYTES, BINDINGS, type Bound, DYNAMICS_BINDING } from "./kernels/kernel.ts";
import type { Part, Vectors } from "./vectors.ts";

/** Lengths of the arenas in values of 4 bytes. */
export interface Lengths {
  readonly vectors: Vectors;
  readonly activations: number;
  readonly tokens: number;
}

/** Losses of steps that are kept on the device until somebody asks; the place behind them is evaluation's. */
export const RING = 4096;

const DYNAMICS_BYTES = 32;

export type ArenaName = (typeof BINDINGS)[number];
export type VectorName = Exclude<ArenaName, "activations" | "tokens" | "ring">;

/** A part of a vector, and the buffer that has it. */
export interface VectorPart extends Part {
  readonly buffer: GPUBuffer;
}

/** The device's arenas and how kernels see them. Everything is made here, before the first step. */
export class Memory {
  readonly layout: GPUBindGroupLayout;
  readonly dynamics: GPUBuffer;
  readonly #device: GPUDevice;
  readonly #vectors: Record<VectorName, readonly VectorPart[]>;
  readonly #arenas: Record<Exclude<ArenaName, VectorName>, GPUBuffer>;

  constructor(device: GPUDevice, lengths: Lengths) {
    this.#device = device;
    const { STORAGE, COPY_SRC, COPY_DST, UNIFORM } = GPUBufferUsage;
    const arena = (label: string, values: number) =>
      device.createBuffer({ label, size: bytes(values), usage: STORAGE | COPY_SRC | COPY_DST });
    const { weights, squares } = lengths.vectors;
    const vector = (label: string, parts: readonly Part[]) =>
      parts.map((part) => ({ ...part, buffer: arena(label, part.length) }));
    this.#vectors = {
      parameters: vector("parameters", weights),
      gradients: vector("gradients", weights),
      m: vector("m", weights),
      v: vector("v", squares),
      loaded: vector("loaded", weights),
    };
    this.#arenas = {
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

  arena(name: Exclude<ArenaName, VectorName>): GPUBuffer {
    return this.#arenas[name];
  }

  vector(name: VectorName): readonly VectorPart[] {
    return this.#vectors[name];
  }

  /** The bind group of dispatches whose places are in `at`, with these parts of the vectors, the first where none is named. */
  group(at: GPUBuffer, bound: Bound = {}): GPUBindGroup {
    return this.#device.createBindGroup({
      layout: this.layout,
      entries: [
        ...BINDINGS.map((name, binding) => ({ binding, resource: { buffer: this.#buffer(name, bound) } })),
        { binding: AT_BINDING, resource: { buffer: at, size: AT_BYTES } },
        { binding: DYNAMICS_BINDING, resource: { buffer: this.dynamics } },
      ],
    });
  }

  #buffer(name: ArenaName, bound: Bound): GPUBuffer {
    if (name === "activations" || name === "tokens" || name === "ring") return this.#arenas[name];
    return this.#vectors[name][bound[name] ?? 0]!.buffer;
  }

  destroy(): void {
    for (const parts of Object.values(this.#vectors)) for (const { buffer } of parts) buffer.destroy();
    for (const buffer of [...Object.values(this.#arenas), this.dynamics]) buffer.destroy();
  }
}

/** Bytes of a buffer for `values`: a multiple of 16, so that it can be read as vec4f to its end. */
export const bytes = (values: number): number => Math.max(16, Math.ceil(values / 4) * 16);
