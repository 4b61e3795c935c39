import { ModelError } from "../../contract/config.ts";
import { type DeviceNeeds, MAX_LOGITS } from "../device-needs.ts";
import { type Encode, type ExtractionOp, MIDRISE_SPAN } from "../extraction-ops.ts";
import type { Arena, Dynamics, Gemm, Op, Slot } from "../ops.ts";
import type { Arenas } from "../plan.ts";
import { squaresOf } from "../second-moments.ts";
import type { Kernels } from "./kernels.ts";
import { muonStep, muonWorkspace } from "./muon.ts";

const PAGE = 65_536;
/** Bytes that WebAssembly's 32-bit addresses reach. */
export const ADDRESSABLE = 4 * 1024 ** 3;
/** Bytes of which an arena's offset is a multiple: a cache line. */
const ALIGNMENT = 64;
/** Bytes past an arena's end that vectors may read (assembly/index.ts). */
const MARGIN = 64;

/** Where each arena lies in linear memory, in bytes. */
export interface MemoryMap {
  readonly at: Readonly<Record<Arena | "scratch", number>>;
  readonly end: number;
}

/** Lengths of the flat vectors, in values. */
export interface Vectors {
  readonly parameters: number;
  /** As many, or 0 where only gradients are computed: of m, the remembered beginning and the residual. */
  readonly optimizing: number;
  /** Of v: what AdamW moves. */
  readonly squares: number;
}

/** Lays the arenas out from `start` on. */
export function mapMemory(start: number, vectors: Vectors, arenas: Arenas): MemoryMap {
  const { parameters, optimizing, squares } = vectors;
  let end = start;
  const place = (values: number): number => {
    const at = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
    end = at + values * 4 + MARGIN;
    return at;
  };
  const at = {
    parameters: place(parameters),
    gradients: place(parameters),
    m: place(optimizing),
    v: place(squares),
    loaded: place(optimizing),
    residual: place(optimizing),
    tokens: place(arenas.tokens),
    scratch: place(arenas.scratch),
    activations: place(arenas.activations),
  };
  return { at, end };
}

/** The kernels' memory beside the arenas. */
export function needsOf(kernels: Kernels): DeviceNeeds {
  const gemm = kernels.gemmScratch.value;
  return {
    attention: (batch, context, heads) => kernels.attentionSaved(batch, context, heads),
    partials: 1,
    rowAlignment: 1,
    logits: MAX_LOGITS,
    muon: muonWorkspace,
    scratch: (op) => {
      if (op.op === "gemm") return gemm;
      if (op.op === "attention" || op.op === "attention-backward")
        return kernels.attentionScratch(op.context);
      return 0;
    },
  };
}

/** Runs ops on WASM kernels over arenas in one linear memory, which is grown once, here. */
export class WasmDevice {
  /** Read by the ops that depend on the step; set it before running them. */
  dynamics: Dynamics = { lossScale: 0, rate: 0, correction1: 1, correction2: 1 };
  readonly #kernels: Kernels;
  readonly #map: MemoryMap;

  /** Throws `device-limit` when the memory cannot be had. */
  constructor(kernels: Kernels, map: MemoryMap) {
    this.#kernels = kernels;
    this.#map = map;
    const missing = Math.ceil((map.end - kernels.memory.buffer.byteLength) / PAGE);
    try {
      if (missing > 0) kernels.memory.grow(missing);
    } catch {
      const mebibytes = Math.ceil(map.end / 2 ** 20);
      throw new ModelError("device-limit", `${mebibytes} MiB of memory cannot be had here`);
    }
    kernels.useScratch(map.at.scratch);
  }

  /** A view of f32 values, valid as long as the device. */
  floats(slot: Slot): Float32Array<ArrayBuffer> {
    return new Float32Array(this.#buffer, this.#at(slot), slot.length);
  }

  /** residual = factor·residual; a factor of 0 forgets it whatever it held. */
  scale(residual: Slot, factor: number): void {
    this.#kernels.adjust(this.#at(residual), factor, 0, residual.length);
  }

  /** residual = residual + gradients' arena, where the host has put what to add. */
  add(residual: Slot): void {
    this.#kernels.adjust(this.#at(residual), 1, this.#map.at.gradients, residual.length);
  }

  /** The tokens' arena. */
  tokens(length: number): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.#buffer, this.#map.at.tokens, length);
  }

  /** Turns ops into one call that runs them and allocates nothing. */
  compile(ops: readonly (Op | ExtractionOp)[]): () => void {
    const calls = ops.flatMap((op) => this.#bind(op));
    return () => {
      for (const call of calls) call();
    };
  }

  get #buffer(): ArrayBuffer {
    return this.#kernels.memory.buffer as ArrayBuffer; // not shared: the module's memory never is
  }

  #at(slot: Slot | null): number {
    return slot === null ? 0 : this.#map.at[slot.arena] + slot.offset * 4;
  }

  #bind(op: Op | ExtractionOp): (() => void)[] {
    const kernels = this.#kernels;
    const at = (slot: Slot | null) => this.#at(slot);
    switch (op.op) {
      case "embed": {
        const { rows, context, width } = op;
        const places = [at(op.tokens), at(op.table), at(op.positions), at(op.out)] as const;
        return [call(kernels.embed, ...places, rows, context, width)];
      }
      case "embed-backward": {
        const { rows, context, width, vocabulary, accumulate } = op;
        const places = [at(op.dOut), at(op.starts), at(op.order), at(op.dTable), at(op.dPositions)] as const;
        return [call(kernels.embedBackward, ...places, rows, context, width, vocabulary, +accumulate)];
      }
      case "layernorm": {
        const places = [at(op.x), at(op.weight), at(op.bias), at(op.out), at(op.stats)] as const;
        return [call(kernels.layerNorm, ...places, op.rows, op.width)];
      }
      case "layernorm-backward": {
        const { rows, width, residual, accumulate } = op;
        const from = [at(op.x), at(op.stats), at(op.weight), at(op.dOut)] as const;
        const to = [at(op.dx), at(op.dWeight), at(op.dBias)] as const;
        return [call(kernels.layerNormBackward, ...from, ...to, rows, width, +residual, +accumulate)];
      }
      case "gemm":
        return this.#bindGemm(op);
      case "gelu": {
        const [pre, out] = [this.floats(op.pre), this.floats(op.out)];
        const product = [1, out.length, 0, 0, 0, 0, 0, 0, 0, at(op.out), out.length, 0, 0, 0, 1, 0] as const;
        return [() => out.set(pre), call(kernels.gemm, ...product)]; // a product of no k leaves all to its epilogue
      }
      case "pack":
      case "unpack":
        throw new ModelError("bad-shape", op.op); // WASM's bits do not depend on its memory
      case "attention": {
        const { batch, context, heads, size } = op;
        const places = [at(op.qkv), at(op.out), at(op.saved)] as const;
        return [call(kernels.attention, ...places, batch, context, heads, size, this.#attentionScratch)];
      }
      case "attention-backward": {
        const { batch, context, heads, size } = op;
        const places = [at(op.qkv), at(op.out), at(op.saved), at(op.dOut), at(op.dQkv)] as const;
        const sizes = [batch, context, heads, size, this.#attentionScratch] as const;
        return [call(kernels.attentionBackward, ...places, ...sizes)];
      }
      case "cross-entropy": {
        const { rows, vocabulary, stride, gradient } = op;
        const places = [at(op.logits), at(op.targets), at(op.losses)] as const;
        const sizes = [rows, vocabulary, stride] as const;
        return [() => kernels.crossEntropy(...places, ...sizes, +gradient, this.dynamics.lossScale)];
      }
      case "norm":
        return [call(kernels.sumOfSquares, at(op.gradients), op.gradients.length, at(op.partials))];
      case "adamw":
        return op.segments.map(({ offset, length, decays }, i) => {
          const part = (slot: Slot) => at(slot) + offset * 4;
          const square = at(op.v) + squaresOf(op.segments.slice(0, i)) * 4;
          const places = [part(op.parameters), part(op.gradients), part(op.m), square] as const;
          const constants = [op.beta1, op.beta2, op.epsilon, op.clip] as const;
          const squares = at(op.partials);
          const weightDecay = decays ? op.weightDecay : 0;
          return () => {
            const { rate, correction1, correction2 } = this.dynamics;
            const now = [rate, correction1, correction2, rate * weightDecay] as const;
            kernels.adamw(...places, squares, length, ...constants, ...now);
          };
        });
      case "muon":
        return [muonStep(kernels, op, at, () => this.dynamics.rate)];
      case "delta":
        return [call(kernels.subtract, at(op.loaded), at(op.parameters), at(op.out), op.out.length)];
      case "collect": {
        const places = [at(op.loaded), at(op.parameters), at(op.residual)] as const;
        return [call(kernels.collect, ...places, op.residual.length)];
      }
      case "encode":
        return [this.#bindEncode(op)];
    }
  }

  #bindGemm(op: Gemm): (() => void)[] {
    const { m, n, k, stride, accumulate, biasGradient } = op;
    // Strides in values from row to row and from column to column, as if nothing were transposed.
    const strides = {
      NN: { a: [stride, 1], b: [n, 1], out: n },
      NT: { a: [k, 1], b: [1, k], out: stride },
      TN: { a: [1, stride], b: [n, 1], out: n },
    } as const;
    const { a, b, out } = strides[op.mode];
    const activation = { none: 0, gelu: 1, "gelu-backward": 2 }[op.activation];
    const epilogue = [this.#at(op.bias), this.#at(op.residual), activation, this.#at(op.pre)] as const;
    const operands = [this.#at(op.a), ...a, this.#at(op.b), ...b, this.#at(op.out), out] as const;
    const calls = [call(this.#kernels.gemm, m, n, k, ...operands, +accumulate, ...epilogue)];
    if (biasGradient) {
      const sum = [this.#at(op.b), k, n, this.#at(biasGradient), +accumulate] as const;
      calls.push(call(this.#kernels.sumRows, ...sum));
    }
    return calls;
  }

  #bindEncode({ codec, residual, payload }: Encode): () => void {
    const kernels = this.#kernels;
    const [total, length, out] = [this.#at(residual), residual.length, this.#at(payload)];
    const encode = () => {
      if (codec.name === "f32") return kernels.extractFloats(total, length, out);
      if (codec.name === "dense") return kernels.extractDense(total, length, codec.bits, out);
      if (codec.name === "midrise") {
        return kernels.extractMidrise(total, length, codec.bits, MIDRISE_SPAN[codec.bits], out);
      }
      const { chunk, k, bits } = codec;
      return kernels.extractTopK(total, length, chunk, k, bits, out, this.#map.at.scratch);
    };
    return () => {
      if (!encode()) throw new ModelError("not-finite", "training led to a change that is no number");
    };
  }

  /** Attention calls the gemm, so its own scratch begins after the gemm's. */
  get #attentionScratch(): number {
    return this.#map.at.scratch + this.#kernels.gemmScratch.value * 4;
  }
}

const call =
  <Args extends readonly number[]>(kernel: (...args: Args) => void, ...args: Args): (() => void) =>
  () =>
    kernel(...args);
