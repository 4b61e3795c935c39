// The kernels of the WASM device, one export an op of ../../ops.ts. Pointers are bytes, sizes are values.
// Arenas start at heapBase() and end with a margin of 64 bytes: a vector may read past a row's end.
export { attention, attentionBackward, attentionSaved, attentionScratch } from "./attention";
export { adjust, collect, extractDense, extractFloats, extractMidrise, extractTopK } from "./extraction";
export { gemm, GEMM_SCRATCH as gemmScratch, sumRows, symmetric, useScratch } from "./gemm";
export { adamw, blend, subtract, sumOfSquares } from "./optimizer";
export { crossEntropy, embed, embedBackward, layerNorm, layerNormBackward } from "./rows";

export function heapBase(): usize {
  return __heap_base;
}
