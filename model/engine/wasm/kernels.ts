import { ModelError } from "../../contract/config.ts";
import { withDeadline } from "../../lib/deadline.ts";

/** The compiled kernels' exports (assembly/index.ts). Pointers are byte addresses, flags 0 or 1. */
export interface Kernels {
  readonly memory: WebAssembly.Memory;
  /** A global: values of scratch that every gemm needs. */
  readonly gemmScratch: WebAssembly.Global;
  heapBase(): number;
  useScratch(at: number): void;
  attentionSaved(batch: number, context: number, heads: number): number;
  attentionScratch(context: number): number;
  embed(
    tokens: number,
    table: number,
    positions: number,
    out: number,
    rows: number,
    context: number,
    width: number,
  ): void;
  embedBackward(
    dOut: number,
    starts: number,
    order: number,
    dTable: number,
    dPositions: number,
    rows: number,
    context: number,
    width: number,
    vocabulary: number,
    add: number,
  ): void;
  layerNorm(
    x: number,
    weight: number,
    bias: number,
    out: number,
    stats: number,
    rows: number,
    width: number,
  ): void;
  layerNormBackward(
    x: number,
    stats: number,
    weight: number,
    dOut: number,
    dx: number,
    dWeight: number,
    dBias: number,
    rows: number,
    width: number,
    residual: number,
    add: number,
  ): void;
  gemm(
    m: number,
    n: number,
    k: number,
    a: number,
    rowA: number,
    columnA: number,
    b: number,
    rowB: number,
    columnB: number,
    c: number,
    rowC: number,
    add: number,
    bias: number,
    residual: number,
    activation: number,
    pre: number,
  ): void;
  symmetric(
    n: number,
    k: number,
    a: number,
    rowA: number,
    columnA: number,
    b: number,
    rowB: number,
    columnB: number,
    c: number,
  ): void;
  sumRows(x: number, rows: number, n: number, out: number, add: number): void;
  attention(
    qkv: number,
    out: number,
    saved: number,
    batch: number,
    context: number,
    heads: number,
    size: number,
    scratch: number,
  ): void;
  attentionBackward(
    qkv: number,
    out: number,
    saved: number,
    dOut: number,
    dQkv: number,
    batch: number,
    context: number,
    heads: number,
    size: number,
    scratch: number,
  ): void;
  crossEntropy(
    logits: number,
    targets: number,
    losses: number,
    rows: number,
    vocabulary: number,
    stride: number,
    gradient: number,
    lossScale: number,
  ): void;
  sumOfSquares(x: number, length: number, out: number): void;
  adamw(
    x: number,
    gradient: number,
    m: number,
    v: number,
    squares: number,
    length: number,
    beta1: number,
    beta2: number,
    epsilon: number,
    clip: number,
    rate: number,
    correction1: number,
    correction2: number,
    decay: number,
  ): void;
  blend(
    rows: number,
    columns: number,
    a: number,
    strideA: number,
    alpha: number,
    b: number,
    strideB: number,
    beta: number,
    out: number,
    strideOut: number,
  ): void;
  subtract(a: number, b: number, out: number, length: number): void;
  collect(a: number, b: number, total: number, length: number): void;
  adjust(residual: number, factor: number, plus: number, length: number): void;
  /** These four: 0 where a value is not finite. */
  extractFloats(total: number, length: number, payload: number): number;
  extractDense(total: number, length: number, bits: number, payload: number): number;
  extractMidrise(total: number, length: number, bits: number, span: number, payload: number): number;
  extractTopK(
    total: number,
    length: number,
    chunk: number,
    k: number,
    bits: number,
    payload: number,
    counts: number,
  ): number;
}

/** Modules that are valid only where SIMD, or fused multiply-add, exists: `() => i8x16.splat(0)`, and madd of three. */
const MAGIC = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0, 10];
const SPLAT = [0x41, 0, 0xfd, 0x0f];
const SIMD_PROBE = Uint8Array.of(...MAGIC, 8, 1, 6, 0, ...SPLAT, 0x0b);
const MADD = [0xfd, 0x85, 0x02];
const FMA_PROBE = Uint8Array.of(...MAGIC, 19, 1, 17, 0, ...SPLAT, ...SPLAT, ...SPLAT, ...MADD, 0x0b);

/** True where relaxed SIMD's multiply-add can be used (Chrome 114, Firefox 146, Node 24; not Safari yet). */
export const hasFma = (): boolean => WebAssembly.validate(FMA_PROBE);

/** Milliseconds for compiling some kilobytes, which takes a few. */
const COMPILE_MS = 15_000;

/**
 * Instantiates the kernels, with their own memory. The build without FMA gives the same bits on every engine.
 * Throws `device-unavailable` where WebAssembly or its SIMD is missing.
 */
export async function loadKernels(fma: boolean): Promise<Kernels> {
  if (typeof WebAssembly === "undefined" || !WebAssembly.validate(SIMD_PROBE))
    throw new ModelError("device-unavailable", "this browser has no WebAssembly SIMD");
  const { KERNELS } = fma
    ? await import("./kernels-fma.generated.ts")
    : await import("./kernels.generated.ts");
  const binary = Uint8Array.from(atob(KERNELS), (character) => character.charCodeAt(0));
  const trap = () => {
    throw new ModelError("device-wrong", "a WASM kernel trapped");
  };
  const compiled = WebAssembly.instantiate(binary, { env: { abort: trap } });
  const { instance } = await withDeadline(compiled, COMPILE_MS, "WebAssembly").catch((error: unknown) => {
    throw new ModelError("device-unavailable", String(error));
  });
  return instance.exports as unknown as Kernels; // our own binary, whose exports are those of assembly/index.ts
}
