import { ModelError } from "../../model/contract/config.ts";
import { initialWeights } from "../../model/contract/init.ts";
import type { TrainerOptions } from "../../model/contract/trainer.ts";
import type { TileNames, Tiles } from "../../model/engine/webgpu/kernels/tile.ts";
import { createWebgpuTrainer } from "../../model/engine/webgpu/trainer.ts";

/** What a device was asked for since {@link watch}. */
interface Asked {
  buffers: number;
  groups: number;
  pipelines: number;
  modules: string[];
}

/** A device with every feature of its adapter that the engine uses, watched. */
async function watched(): Promise<{ device: GPUDevice; asked: Asked }> {
  const adapter = (await navigator.gpu.requestAdapter())!;
  const device = await adapter.requestDevice({ requiredFeatures: ["subgroups"] });
  const asked: Asked = { buffers: 0, groups: 0, pipelines: 0, modules: [] };
  const { createBuffer, createBindGroup, createComputePipelineAsync, createShaderModule } = device;
  device.createBuffer = (descriptor) => {
    asked.buffers++;
    return createBuffer.call(device, descriptor);
  };
  device.createBindGroup = (descriptor) => {
    asked.groups++;
    return createBindGroup.call(device, descriptor);
  };
  device.createComputePipelineAsync = (descriptor) => {
    asked.pipelines++;
    return createComputePipelineAsync.call(device, descriptor);
  };
  device.createShaderModule = (descriptor) => {
    asked.modules.push(descriptor.code);
    return createShaderModule.call(device, descriptor);
  };
  return { device, asked };
}

const tokensOf = ({ shape, batch }: TrainerOptions, step: number): Uint16Array =>
  Uint16Array.from(
    { length: batch * (shape.context + 1) },
    (_, i) => (i * 7 + step * 3 + ((i * i) % 5)) % shape.vocabulary,
  );

const heap = () =>
  "memory" in performance ? (performance.memory as { usedJSHeapSize: number }).usedJSHeapSize : 0; // Chromium's

/**
 * Trains for 1,000 steps and tells what the last 900 asked of the device, and the heap before and after; then takes
 * a ticket of `again` steps twice.
 */
async function endure(options: TrainerOptions, tiles: Tiles, again: number) {
  const { device, asked } = await watched();
  const trainer = await createWebgpuTrainer({ ...options, device, tiles });
  const train = async (steps: number, every: (step: number) => void = () => undefined) => {
    await trainer.load(initialWeights(options.shape, 3));
    const losses: number[] = [];
    for (let step = 0; step < steps; step++) {
      every(step);
      await trainer.step(tokensOf(options, step), options.batch, 2e-3);
      if (step % 50 === 49) losses.push(...(await trainer.losses()));
    }
    return losses;
  };
  let before = { ...asked, heap: 0 };
  const losses = await train(1_000, (step) => {
    if (step !== 100) return;
    globalThis.gc?.();
    before = { ...asked, heap: heap() };
  });
  globalThis.gc?.();
  const after = { ...asked, heap: heap() };
  const tickets = [];
  for (let i = 0; i < 2; i++)
    tickets.push({ losses: await train(again), delta: [...(await trainer.delta())] });
  trainer.dispose();
  device.destroy();
  return {
    losses,
    tickets,
    buffers: after.buffers - before.buffers,
    groups: after.groups - before.groups,
    pipelines: after.pipelines - before.pipelines,
    heap: [before.heap, after.heap],
    quads: asked.modules.some((code) => code.includes("quadSwapX")),
  };
}

/** What a visit finds: the tiles of the trainer, and how many pipelines it compiled. */
async function visit(options: TrainerOptions, names?: TileNames) {
  const { device, asked } = await watched();
  const adapters: string[] = [];
  const recall = async (adapter: string) => {
    adapters.push(adapter);
    return names;
  };
  const trainer = await createWebgpuTrainer({ ...options, device, recall });
  const { remembrance } = trainer;
  trainer.dispose();
  device.destroy();
  return { remembrance, adapters, pipelines: asked.pipelines };
}

/** Loses the device while steps are under way; the codes that calls reject with, before and after. */
async function lose(options: TrainerOptions, tiles: Tiles) {
  const { device } = await watched();
  const trainer = await createWebgpuTrainer({ ...options, device, tiles });
  await trainer.load(initialWeights(options.shape, 3));
  const code = (promise: Promise<unknown>) =>
    promise.then(
      () => "fine",
      (error: unknown) => (error instanceof ModelError ? error.code : String(error)),
    );
  const flying = [0, 1, 2, 3].map((step) => code(trainer.step(tokensOf(options, step), options.batch, 1e-3)));
  const waiting = code(trainer.losses());
  device.destroy();
  await Promise.all(flying);
  const codes = [await waiting, await code(trainer.delta()), await code(trainer.logits(Uint16Array.of(1)))];
  trainer.dispose();
  return codes;
}

const page = { endure, visit, lose };
declare global {
  var endurance: typeof page;
}
globalThis.endurance = page;
