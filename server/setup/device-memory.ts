import { setImmediate } from "node:timers/promises";
import { ModelError, type ModelShape, type Optimizer } from "../../model/contract/config.ts";
import { layoutOf } from "../../model/contract/layout.ts";
import { fitBatch, recomputingLeast } from "../../model/engine/fit.ts";
import type { Arenas } from "../../model/engine/plan.ts";
import type { Recompute } from "../../model/engine/recompute.ts";
import { segmentsOf, squaresOf } from "../../model/engine/second-moments.ts";
import { ADDRESSABLE, mapMemory, needsOf } from "../../model/engine/wasm/device.ts";
import { loadKernels } from "../../model/engine/wasm/kernels.ts";
import { USUAL_MEMORY } from "../../model/engine/wasm/memory-limit.ts";
import { cutFor, fitTo, plannedBytes } from "../../model/engine/webgpu/fit.ts";
import type { DeviceMemory } from "../../protocol/setup.ts";
import type { Settings } from "../run/settings.ts";

/** Bytes: WebGPU's least limits, which every device that has it offers. */
const PROMISED_LIMITS = { maxStorageBufferBindingSize: 128 * 2 ** 20, maxBufferSize: 256 * 2 ** 20 };

/**
 * What a visitor's device needs to train on one sequence at a time, by the code that will plan it there: of the inner optimisers
 * that tickets may name, what takes more.
 */
export async function deviceMemoryOf(settings: Settings, vocabulary: number): Promise<DeviceMemory> {
  const { model, optimizer, rounds } = settings;
  const inners = rounds === "turns" ? [optimizer.inner] : (["adamw", "muon"] as const);
  const all = await Promise.all(
    inners.map((inner) => memoryOf({ ...model, vocabulary }, { ...optimizer, ...(inner && { inner }) })),
  );
  const most = (of: "gpuBytes" | "wasmBytes") =>
    all.some((one) => one[of] === null) ? null : Math.max(...all.map((one) => one[of]!));
  return {
    gpuBytes: most("gpuBytes"),
    wasmBytes: most("wasmBytes"),
    phones: all.every(({ phones }) => phones),
  };
}

async function memoryOf(shape: ModelShape, optimizer: Optimizer) {
  const options = { shape, optimizer, batch: 1 };
  const cut = await cutFor(options, PROMISED_LIMITS);
  const gpu = async () =>
    plannedBytes(
      await recomputingLeast((recompute) => fitTo(options, PROMISED_LIMITS, cut, recompute), true),
    );
  const kernels = await loadKernels(false);
  const layout = layoutOf(shape);
  const { length } = layout;
  const squares = squaresOf(segmentsOf(layout, optimizer));
  const vectors = { parameters: length, optimizing: length, squares };
  const bytesOf = (arenas: Arenas) => mapMemory(kernels.heapBase(), vectors, arenas).end;
  const least = bytesOf({ activations: 0, tokens: 0, scratch: 0 });
  const needs = needsOf(kernels);
  const planned = new Map<Recompute | undefined, number>();
  const within = (limit: number) => () =>
    recomputingLeast((recompute) => {
      if (least > limit) throw tooMuch(limit);
      const bytes =
        planned.get(recompute) ??
        bytesOf(fitBatch(shape, 1, optimizer, needs, Number.POSITIVE_INFINITY, bytesOf, recompute).arenas);
      planned.set(recompute, bytes);
      if (bytes > limit) throw tooMuch(limit);
      return bytes;
    });
  return {
    gpuBytes: await orNull(gpu),
    wasmBytes: await orNull(within(ADDRESSABLE)),
    phones: (await orNull(within(USUAL_MEMORY))) !== null,
  };
}

const tooMuch = (limit: number) => new ModelError("device-limit", `more than ${limit} bytes`);

/** Null where no device could. Requests come between one plan and the next: a large model's takes a moment. */
async function orNull(bytes: () => Promise<number>): Promise<number | null> {
  await setImmediate();
  try {
    return await bytes();
  } catch (error) {
    if (error instanceof ModelError && error.code === "device-limit") return null;
    throw error;
  }
}
