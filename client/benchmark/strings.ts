import type { Contender } from "./messages.ts";
import type { ConfigName } from "./workload.ts";

/** The bench page's strings. */
export const text = {
  title: "How fast does this machine train?",
  lead: "This page trains a small GPT-2 here, in this browser, with the engine that volunteers run, and beside it with stock TensorFlow.js. Nothing is sent, unless you say so at the end.",
  back: "The volunteers’ page",
  size: "Model",
  shape: (layers: string, width: string, context: string, vocabulary: string) =>
    `${layers}, ${width} wide, context ${context}, vocabulary ${vocabulary}`,
  start: "Measure",
  again: "Measure again",
  stop: "Stop",
  running: "Measuring; other work on this machine would slow it down.",
  starting: (contender: string) => `${contender}: starting and compiling…`,
  step: (contender: string, step: number) => `${contender}: step ${step}`,
  gemmRunning: "Multiplying matrices, to see what the GPU can do at best…",
  stopped: "Stopped. What was measured until then:",
  done: "Done.",
  failed: (why: string) => `The measurement broke off: ${why}`,
  verdict: "In short",
  gemm: "The GPU at its best",
  gemmOf: (side: number) =>
    `A product of two ${side} × ${side} matrices, by our own kernels, with nothing else to do.`,
  gemmSoftware: "Smaller than on a GPU (2048), or it would take minutes.",
  tokens: "Tokens a second",
  time: "A step",
  timeOf: (steps: number, warmups: number) =>
    `median of ${steps} after ${warmups} ${warmups === 1 ? "step that warms" : "steps that warm"} up`,
  flops: "Arithmetic",
  ofPeak: (share: string) => `${share} of the best seen here`,
  products: (speed: string) => `its matrix products alone: ${speed}`,
  dispatches: "Kernels a step",
  bytes: "Memory moved a step",
  bytesHelp: "at least, without caches",
  ready: "Ready after",
  readyHelp: "code, compiling, first step",
  loss: "Loss",
  send: "Send these figures to the run?",
  sendHelp:
    "They help to see on which devices training is slow, and appear in a table on the run’s status page. Only what stands here is sent: no key, no name, and your address is not kept. It changes nothing about your training. You need not.",
  sendYes: "Send",
  sent: "Sent. Thank you.",
  notSent: "The server did not take them: it has had enough of them for now.",
  json: "All of it as JSON",
  copy: "Copy",
  copied: "Copied",
  how: "Batches of 4 sequences, AdamW, 32-bit floats; every trainer begins with the same weights and reads the same tokens. FLOP are counted from the mathematics, without what is computed twice.",
} as const;

export const CONTENDER: Record<Contender, string> = {
  gemm: "GPU",
  "fast-webgpu": "Our engine on WebGPU",
  "fast-wasm": "Our engine on the processor (WebAssembly)",
  "tfjs-webgpu": "Stock TensorFlow.js on WebGPU",
  "tfjs-wasm": "Stock TensorFlow.js on the processor (WebAssembly)",
};

/** The sizes to choose from. */
export const SIZES: readonly { readonly config: ConfigName; readonly label: string }[] = [
  { config: "small", label: "Small: 0.1 million parameters" },
  { config: "anchor", label: "Larger: 0.9 million parameters" },
  { config: "tiny", label: "Tiny: a check that everything works" },
];

/** The results in words, for a reader who has seen no such numbers before. */
export const verdictText = {
  fastest: (contender: string, tokens: string) =>
    `Fastest here: ${contender}, at ${tokens} tokens a second. A token is about three letters of text.`,
  software:
    "This browser’s GPU is software that runs on the CPU. Its figures say nothing about a graphics card.",
  noGpu: (why: string) => `There is no WebGPU here (${why}), so only the processor was measured.`,
  ratio: (device: string, ratio: string) =>
    `On ${device} our engine is ${ratio} times as fast as stock TensorFlow.js, both having learnt the same.`,
  differ: (contender: string) =>
    `${contender} computed another loss than the others: its speed means nothing, and a volunteer’s browser would not use it.`,
  peak: (share: string) =>
    `Of the arithmetic that this GPU was seen to do at best, training reaches ${share}.`,
} as const;

export const DEVICE = { webgpu: "WebGPU", wasm: "the processor" } as const;
