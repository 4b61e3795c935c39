import { ModelError } from "../../model/contract/config.ts";
import { layoutOf } from "../../model/contract/layout.ts";
import { openGpu } from "../../model/engine/webgpu/adapter.ts";
import { Extraction } from "../../model/engine/webgpu/extraction.ts";
import type { Tile } from "../../model/engine/webgpu/kernels/tile.ts";
import { Memory } from "../../model/engine/webgpu/memory.ts";
import { Readback } from "../../model/engine/webgpu/readback.ts";
import { createWebgpuTrainer } from "../../model/engine/webgpu/trainer.ts";
import { inOnePart } from "../../model/engine/webgpu/vectors.ts";
import type { CodecSpec } from "../../protocol/codec/codec.ts";
import { codecOf } from "../../protocol/frame.ts";

export const extractionShape = { layers: 1, heads: 2, width: 24, context: 8, vocabulary: 37 };
const optimizer = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 };
const tokens = Uint16Array.from({ length: 18 }, (_, i) => (i * 7) % 37);
const tile: Tile = { kind: "register", m: 4, n: 4, depth: 4, down: 4, across: 4 };
const tiles = { NN: tile, NT: tile, TN: tile };

let trainer: ReturnType<typeof createWebgpuTrainer> | undefined;
/** One for all tests: its kernels take seconds to compile where a processor plays the GPU. */
const opened = () =>
  (trainer ??= createWebgpuTrainer({ shape: extractionShape, optimizer, batch: 2, tiles }));

let gpu: ReturnType<typeof openGpu> | undefined;

/**
 * Payload and residual of each total by the kernels alone: nothing was trained. They cross to the test as typed arrays, whole:
 * as lists of numbers they took longer than the kernels.
 */
async function encodeAll(spec: CodecSpec, totals: readonly Float32Array<ArrayBuffer>[]) {
  gpu ??= openGpu();
  const { device, lossGuard } = await gpu;
  const length = totals[0]!.length;
  const vectors = inOnePart(length, 1);
  const memory = new Memory(device, { vectors, activations: 1, tokens: 1 });
  const extraction = await Extraction.open(device, lossGuard, memory, vectors, 1);
  const readback = new Readback(device, lossGuard, [length, 0]);
  const answers: { payload: Uint8Array; left: Float32Array }[] = [];
  for (const total of totals) {
    extraction.set(total);
    const { payload } = await extraction.extract(codecOf(spec), []);
    const left = await readback.vector(extraction.residual);
    answers.push({ payload, left });
  }
  readback.destroy();
  extraction.destroy();
  memory.destroy();
  return answers;
}

/** Three tickets of two steps; before the third's end the residual is decayed and the weights are added to it. */
async function tickets(spec: CodecSpec, weights: Float32Array<ArrayBuffer>) {
  const trainer = await opened();
  const answers = [];
  for (let ticket = 0; ticket < 3; ticket++) {
    await trainer.load(weights, ticket === 0 ? undefined : "kept");
    if (ticket === 2) {
      await trainer.adjustResidual(0.95);
      await trainer.adjustResidual(1, weights);
    }
    for (let step = 0; step < 2; step++) await trainer.step(tokens, 2, 1e-2);
    const delta = await trainer.delta();
    const maps = countMaps();
    const payload = await trainer.extract(codecOf(spec));
    const { length: losses } = await trainer.losses();
    const mapped = maps();
    const { residual, step } = await trainer.carried();
    answers.push({ delta, payload, left: residual, step, losses, maps: mapped });
  }
  return answers;
}

/** Counts the buffers mapped from now until the returned function is called. */
function countMaps(): () => number {
  const { mapAsync } = GPUBuffer.prototype;
  let count = 0;
  GPUBuffer.prototype.mapAsync = function (...of) {
    count++;
    return mapAsync.apply(this, of);
  };
  return () => {
    GPUBuffer.prototype.mapAsync = mapAsync;
    return count;
  };
}

async function ofNaN(spec: CodecSpec): Promise<string> {
  const trainer = await opened();
  const { length } = layoutOf(extractionShape);
  await trainer.load(new Float32Array(length));
  await trainer.adjustResidual(1, new Float32Array(length).fill(1).fill(Number.NaN, length - 1));
  return trainer.extract(codecOf(spec)).then(
    () => "sent",
    (error: unknown) => (error instanceof ModelError ? error.code : String(error)),
  );
}

const page = { encodeAll, tickets, ofNaN };
declare global {
  var extraction: typeof page;
}
globalThis.extraction = page;
