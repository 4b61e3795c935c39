import type { Codec, CodecSpec } from "../../../protocol/codec/codec.ts";
import { ModelError } from "../../contract/config.ts";
import type { DeviceLossGuard } from "./device-loss-guard.ts";
import type { ExtractionKernel, Run } from "./kernels/extraction.ts";
import { bytes, type Memory, type VectorPart } from "./memory.ts";
import { type Piece, Readback, uploadVector } from "./readback.ts";
import { overlaps, type Vectors } from "./vectors.ts";

/** A kernel ready to run. */
interface Ready {
  readonly pipeline: GPUComputePipeline;
  readonly groups: readonly [number, number];
  readonly group: GPUBindGroup;
}

/** Resources of one codec, made when it is first used. */
interface Encoding {
  readonly codec: Codec;
  readonly collects: readonly Ready[];
  /** One for each part of the residual, whose words follow each other in one buffer; none for plain values. */
  readonly encoders: readonly Ready[];
  readonly words: GPUBuffer;
  readonly readback: Readback;
}

/** What a kernel binds. */
interface Bindings {
  /** The part of loaded, parameters and gradients. */
  readonly weights: number;
  readonly residual: number;
  readonly words: GPUBuffer;
}

/** What only the end of a ticket needs: it is fetched while the first one is trained. */
async function fetchLate() {
  try {
    const [kernels, { pack }] = await Promise.all([
      import("./kernels/extraction.ts"),
      import("./payload.ts"),
    ]);
    return { ...kernels, pack };
  } catch (error) {
    throw new ModelError("device-lost", `a part of the engine cannot be fetched: ${String(error)}`);
  }
}

/**
 * The residual on the device, and the way from trained weights to a payload. One readback a ticket, or one a part of the
 * residual.
 */
export class Extraction {
  readonly residual: readonly VectorPart[];
  readonly #device: GPUDevice;
  readonly #lossGuard: DeviceLossGuard;
  readonly #memory: Memory;
  readonly #vectors: Vectors;
  readonly #losses: number;
  readonly #layout: GPUBindGroupLayout;
  readonly #factor: GPUBuffer;
  readonly #late = fetchLate();
  #encoding: Encoding | undefined;
  #adjusting: Promise<{ readonly scales: Ready[]; readonly adds: Ready[] }> | undefined;

  /** `losses`: how many values may be read together with a payload. Rejects with `device-limit`. */
  static async open(
    device: GPUDevice,
    lossGuard: DeviceLossGuard,
    memory: Memory,
    vectors: Vectors,
    losses: number,
  ): Promise<Extraction> {
    device.pushErrorScope("out-of-memory");
    const extraction = new Extraction(device, lossGuard, memory, vectors, losses);
    const full = await device.popErrorScope();
    if (full === null) return extraction;
    extraction.destroy();
    throw new ModelError("device-limit", `the GPU has no memory left: ${full.message}`);
  }

  private constructor(
    device: GPUDevice,
    lossGuard: DeviceLossGuard,
    memory: Memory,
    vectors: Vectors,
    losses: number,
  ) {
    this.#late.catch(() => undefined); // whoever waits for it hears of it
    this.#device = device;
    this.#lossGuard = lossGuard;
    this.#memory = memory;
    this.#vectors = vectors;
    this.#losses = losses;
    const { STORAGE, COPY_SRC, COPY_DST, UNIFORM } = GPUBufferUsage;
    const usage = STORAGE | COPY_SRC | COPY_DST;
    this.residual = vectors.residual.map((part) => ({
      ...part,
      buffer: device.createBuffer({ label: "residual", size: bytes(part.length), usage }),
    }));
    this.#factor = device.createBuffer({ label: "factor", size: 16, usage: UNIFORM | COPY_DST });
    this.#layout = device.createBindGroupLayout({
      entries: [0, 1, 2, 3, 4, 5].map((binding) => ({
        binding,
        visibility: GPUShaderStage.COMPUTE,
        buffer: { type: binding === 5 ? "uniform" : "storage" },
      })),
    });
  }

  /**
   * The payload, and `also` (losses) in the same readback. Throws `not-finite`, and then the residual is spoilt.
   */
  async extract(
    codec: Codec,
    also: readonly Piece[],
  ): Promise<{ payload: Uint8Array<ArrayBuffer>; also: Float32Array[] }> {
    const { pack, wordMap } = await this.#late;
    const { collects, encoders, words, readback } = await this.#encodingOf(codec);
    const { length } = this.#vectors;
    const payload = new Uint8Array(codec.payloadBytes(length));
    const losses: Float32Array[] = [];
    for (const [i, part] of this.residual.entries()) {
      const encoder = encoders[i];
      const piece: Piece = {
        buffer: encoder ? words : part.buffer,
        from: 0,
        length: wordMap(codec.spec, part.length).total,
      };
      const kernels = [...(i === 0 ? collects : []), ...(encoder ? [encoder] : [])];
      const pieces = i === 0 ? [piece, ...also] : [piece];
      const [read, ...rest] = await readback.read(pieces, (pass) => run(pass, kernels));
      pack(payload, codec, new Uint32Array(read!.buffer as ArrayBuffer), part, length);
      losses.push(...rest);
    }
    if (codec.spec.name === "f32") await this.set(undefined);
    return { payload, also: losses };
  }

  /** residual ← values, or zero. */
  async set(values: Float32Array | undefined): Promise<void> {
    if (values) return uploadVector(this.#device, this.#lossGuard, this.residual, values);
    const encoder = this.#device.createCommandEncoder();
    for (const { buffer } of this.residual) encoder.clearBuffer(buffer);
    this.#device.queue.submit([encoder.finish()]);
  }

  /** residual ← factor·residual + plus, see Trainer.adjustResidual. The gradients are gone after it. */
  async adjust(factor: number, plus: Float32Array | undefined): Promise<void> {
    this.#adjusting ??= this.#compileAdjusting();
    const { scales, adds } = await this.#adjusting;
    const { queue } = this.#device;
    queue.writeBuffer(this.#factor, 0, Float32Array.of(factor, 0, 0, 0));
    if (plus) await uploadVector(this.#device, this.#lossGuard, this.#memory.vector("gradients"), plus);
    const encoder = this.#device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    run(pass, plus ? [...scales, ...adds] : scales);
    pass.end();
    queue.submit([encoder.finish()]);
  }

  destroy(): void {
    for (const { buffer } of this.residual) buffer.destroy();
    this.#factor.destroy();
    this.#forget();
  }

  async #encodingOf(codec: Codec): Promise<Encoding> {
    const known = this.#encoding;
    if (known !== undefined && keyOf(known.codec.spec) === keyOf(codec.spec)) return known;
    this.#forget();
    const { collect, encode, wordMap } = await this.#late;
    const { residual } = this.#vectors;
    const total = Math.max(...residual.map(({ length }) => wordMap(codec.spec, length).total));
    const plain = codec.spec.name === "f32";
    const words = this.#device.createBuffer({
      label: "payload",
      size: bytes(plain ? 0 : total),
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC,
    });
    const encoders = residual.flatMap(({ length }, i) => {
      const kernel = encode(codec.spec, length);
      return kernel ? [this.#ready(kernel, { weights: 0, residual: i, words })] : [];
    });
    const readback = new Readback(this.#device, this.#lossGuard, [total, this.#losses]);
    this.#encoding = {
      codec,
      words,
      readback,
      collects: await this.#overAll(collect, words),
      encoders: await Promise.all(encoders),
    };
    return this.#encoding;
  }

  #forget(): void {
    this.#encoding?.words.destroy();
    this.#encoding?.readback.destroy();
    this.#encoding = undefined;
  }

  async #compileAdjusting(): Promise<{ readonly scales: Ready[]; readonly adds: Ready[] }> {
    const { scale, add } = await this.#late;
    const unwritten = this.#memory.vector("m")[0]!.buffer; // any of the right kind will do
    return { scales: await this.#overAll(scale, unwritten), adds: await this.#overAll(add, unwritten) };
  }

  /** The kernels of an op that goes over every value. */
  #overAll(kernelOf: (run: Run) => ExtractionKernel, words: GPUBuffer): Promise<Ready[]> {
    const { weights, residual } = this.#vectors;
    const all = overlaps(weights, residual).map(({ one, two, oneFrom, twoFrom, length }) =>
      this.#ready(kernelOf({ length, weights: oneFrom, residual: twoFrom }), {
        weights: one,
        residual: two,
        words,
      }),
    );
    return Promise.all(all);
  }

  async #ready({ name, code, groups }: ExtractionKernel, bindings: Bindings): Promise<Ready> {
    const layout = this.#device.createPipelineLayout({ bindGroupLayouts: [this.#layout] });
    const module = this.#device.createShaderModule({ label: name, code });
    try {
      const compute = { module, entryPoint: "main" };
      const pipeline = await this.#device.createComputePipelineAsync({ label: name, layout, compute });
      return { pipeline, groups, group: this.#groupOf(bindings) };
    } catch (error) {
      throw new ModelError("device-wrong", `the device refused the kernel ${name}: ${String(error)}`);
    }
  }

  #groupOf({ weights, residual, words }: Bindings): GPUBindGroup {
    const [loaded, parameters, gradients] = (["loaded", "parameters", "gradients"] as const).map(
      (name) => this.#memory.vector(name)[weights]!.buffer,
    );
    const buffers = [loaded!, parameters!, this.residual[residual]!.buffer, gradients!, words, this.#factor];
    return this.#device.createBindGroup({
      layout: this.#layout,
      entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
  }
}

const keyOf = (codec: CodecSpec): string => Object.values(codec).join();

function run(pass: GPUComputePassEncoder, kernels: readonly Ready[]): void {
  for (const { pipeline, groups, group } of kernels) {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(groups[0], groups[1]);
  }
}
