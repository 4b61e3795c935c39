import type { Codec, CodecSpec } from "../../../protocol/codec/codec.ts";
import { ModelError } from "../../contract/config.ts";
import type { DeviceLossGuard } from "./device-loss-guard.ts";
import {
  add,
  BLOCK,
  collect,
  type ExtractionKernel,
  encode,
  NOT_FINITE,
  scale,
  wordMap,
} from "./kernels/extraction.ts";
import { bytes, type Memory } from "./memory.ts";
import { type Piece, Readback, upload } from "./readback.ts";

/** A kernel ready to run. */
interface Ready {
  readonly pipeline: GPUComputePipeline;
  readonly groups: readonly [number, number];
}

/** Resources of one codec, made when it is first used. */
interface Encoding {
  readonly codec: Codec;
  readonly kernels: readonly Ready[];
  readonly words: GPUBuffer;
  readonly group: GPUBindGroup;
  readonly readback: Readback;
}

/** The residual on the device, and the way from trained weights to a payload. One readback a ticket. */
export class Extraction {
  readonly residual: GPUBuffer;
  readonly #device: GPUDevice;
  readonly #lossGuard: DeviceLossGuard;
  readonly #memory: Memory;
  readonly #length: number;
  readonly #losses: number;
  readonly #layout: GPUBindGroupLayout;
  readonly #factor: GPUBuffer;
  #encoding: Encoding | undefined;
  #adjusting: Promise<{ readonly scale: Ready; readonly add: Ready }> | undefined;

  /** `losses`: how many values may be read together with a payload. Rejects with `device-limit`. */
  static async open(
    device: GPUDevice,
    lossGuard: DeviceLossGuard,
    memory: Memory,
    length: number,
    losses: number,
  ): Promise<Extraction> {
    device.pushErrorScope("out-of-memory");
    const extraction = new Extraction(device, lossGuard, memory, length, losses);
    const full = await device.popErrorScope();
    if (full === null) return extraction;
    extraction.destroy();
    throw new ModelError("device-limit", `the GPU has no memory left: ${full.message}`);
  }

  private constructor(
    device: GPUDevice,
    lossGuard: DeviceLossGuard,
    memory: Memory,
    length: number,
    losses: number,
  ) {
    this.#device = device;
    this.#lossGuard = lossGuard;
    this.#memory = memory;
    this.#length = length;
    this.#losses = losses;
    const { STORAGE, COPY_SRC, COPY_DST, UNIFORM } = GPUBufferUsage;
    const usage = STORAGE | COPY_SRC | COPY_DST;
    this.residual = device.createBuffer({ label: "residual", size: bytes(length), usage });
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
    const { kernels, words, group, readback } = await this.#encodingOf(codec);
    const plain = codec.spec.name === "f32";
    const length = wordMap(codec.spec, this.#length).total;
    const piece: Piece = { buffer: plain ? this.residual : words, from: 0, length };
    const [read, ...rest] = await readback.read([piece, ...also], (pass) => run(pass, group, kernels));
    if (plain) await this.set(undefined);
    return { payload: packed(codec, new Uint32Array(read!.buffer as ArrayBuffer), this.#length), also: rest };
  }

  /** residual ← values, or zero. */
  async set(values: Float32Array<ArrayBuffer> | undefined): Promise<void> {
    if (values) return upload(this.#device, this.#lossGuard, this.residual, values);
    const encoder = this.#device.createCommandEncoder();
    encoder.clearBuffer(this.residual);
    this.#device.queue.submit([encoder.finish()]);
  }

  /** residual ← factor·residual + plus, see Trainer.adjustResidual. The gradients are gone after it. */
  async adjust(factor: number, plus: Float32Array<ArrayBuffer> | undefined): Promise<void> {
    this.#adjusting ??= this.#compileAdjusting();
    const { scale, add } = await this.#adjusting;
    const { queue } = this.#device;
    queue.writeBuffer(this.#factor, 0, Float32Array.of(factor, 0, 0, 0));
    const gradients = this.#memory.arena("gradients");
    if (plus) await upload(this.#device, this.#lossGuard, gradients, plus);
    const encoder = this.#device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    // no adjustment writes words: any buffer of the right kind will do
    run(pass, this.#groupOf(this.#memory.arena("m")), plus ? [scale, add] : [scale]);
    pass.end();
    queue.submit([encoder.finish()]);
  }

  destroy(): void {
    this.residual.destroy();
    this.#factor.destroy();
    this.#forget();
  }

  async #encodingOf(codec: Codec): Promise<Encoding> {
    const known = this.#encoding;
    if (known !== undefined && keyOf(known.codec.spec) === keyOf(codec.spec)) return known;
    this.#forget();
    const list = [collect(this.#length), encode(codec.spec, this.#length)].filter((one) => one !== undefined);
    const kernels = await Promise.all(list.map((kernel) => this.#compile(kernel)));
    const { total } = wordMap(codec.spec, this.#length);
    const words = this.#device.createBuffer({
      label: "payload",
      size: bytes(total),
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC,
    });
    const readback = new Readback(this.#device, this.#lossGuard, [total, this.#losses]);
    this.#encoding = { codec, kernels, words, group: this.#groupOf(words), readback };
    return this.#encoding;
  }

  #forget(): void {
    this.#encoding?.words.destroy();
    this.#encoding?.readback.destroy();
    this.#encoding = undefined;
  }

  async #compileAdjusting(): Promise<{ readonly scale: Ready; readonly add: Ready }> {
    const kernels = [scale(this.#length), add(this.#length)].map((kernel) => this.#compile(kernel));
    const [first, second] = await Promise.all(kernels);
    return { scale: first!, add: second! };
  }

  async #compile({ name, code, groups }: ExtractionKernel): Promise<Ready> {
    const layout = this.#device.createPipelineLayout({ bindGroupLayouts: [this.#layout] });
    const module = this.#device.createShaderModule({ label: name, code });
    try {
      const compute = { module, entryPoint: "main" };
      return {
        pipeline: await this.#device.createComputePipelineAsync({ label: name, layout, compute }),
        groups,
      };
    } catch (error) {
      throw new ModelError("device-wrong", `the device refused the kernel ${name}: ${String(error)}`);
    }
  }

  #groupOf(words: GPUBuffer): GPUBindGroup {
    const { loaded, parameters, gradients } = {
      loaded: this.#memory.arena("loaded"),
      parameters: this.#memory.arena("parameters"),
      gradients: this.#memory.arena("gradients"),
    };
    const buffers = [loaded, parameters, this.residual, gradients, words, this.#factor];
    return this.#device.createBindGroup({
      layout: this.#layout,
      entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
  }
}

const keyOf = (codec: CodecSpec): string => Object.values(codec).join();

function run(pass: GPUComputePassEncoder, group: GPUBindGroup, kernels: readonly Ready[]): void {
  for (const { pipeline, groups } of kernels) {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(groups[0], groups[1]);
  }
}

/** The codec's bytes out of the kernels' words. */
function packed(codec: Codec, words: Uint32Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  const { spec } = codec;
  const payload = new Uint8Array(codec.payloadBytes(length));
  const all = new Uint8Array(words.buffer);
  if (spec.name === "f32") {
    if (words.some((word) => (word & 0x7f80_0000) === 0x7f80_0000)) throw notFinite();
    payload.set(all.subarray(0, payload.length));
    return payload;
  }
  const { scales } = wordMap(spec, length);
  if (spec.name !== "topk") {
    const shared = 2 * Math.ceil(length / BLOCK);
    for (let at = 0; at < shared; at += 2)
      if ((all[at]! | (all[at + 1]! << 8)) === NOT_FINITE) throw notFinite();
    payload.set(all.subarray(0, shared));
    payload.set(all.subarray(4 * scales, 4 * scales + payload.length - shared), shared);
    return payload;
  }
  const { chunk, k, bits } = spec;
  const header = new DataView(payload.buffer);
  header.setUint16(0, chunk, true);
  header.setUint16(2, k, true);
  header.setUint8(4, bits);
  const width = Math.round(Math.log2(chunk));
  const entries = Math.floor(length / chunk) * k + Math.min(k, length % chunk);
  for (let at = 0; at < scales; at++) {
    if (words[at] === NOT_FINITE) throw notFinite();
    header.setUint16(HEADER + 2 * at, words[at]!, true);
  }
  const places = payload.subarray(HEADER + 2 * scales);
  const codes = places.subarray(Math.ceil((entries * width) / 8));
  for (let entry = 0; entry < entries; entry++) {
    const word = words[scales + entry]!;
    put(places, entry * width, word & 0xffff, width);
    put(codes, entry * bits, word >>> 16, bits);
  }
  return payload;
}

const HEADER = 8;

/** Writes an integer's low `width` bits from bit `at` on, low bits first. */
function put(into: Uint8Array, at: number, value: number, width: number): void {
  const shifted = value << (at & 7); // 12 bits and 7 fit
  for (let byte = at >> 3; byte <= (at + width - 1) >> 3; byte++)
    into[byte]! |= (shifted >>> ((byte - (at >> 3)) * 8)) & 0xff;
}

const notFinite = () => new ModelError("not-finite", "training led to a change that is no number");
