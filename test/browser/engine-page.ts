import { ModelError, type ModelShape } from "../../model/contract/config.ts";
import { checkTrainer } from "../../model/contract/known-gradient.ts";
import { layoutOf } from "../../model/contract/layout.ts";
import type { Carried, TrainerOptions } from "../../model/contract/trainer.ts";
import type { Arena, Dynamics, Op } from "../../model/engine/ops.ts";
import { openGpu } from "../../model/engine/webgpu/adapter.ts";
import { fitTo } from "../../model/engine/webgpu/fit.ts";
import * as quads from "../../model/engine/webgpu/kernels/attention-quad.ts";
import { convert } from "../../model/engine/webgpu/kernels/halves.ts";
import { BINDINGS } from "../../model/engine/webgpu/kernels/kernel.ts";
import type { Tiles } from "../../model/engine/webgpu/kernels/tile.ts";
import { lowerAll, type Tuning } from "../../model/engine/webgpu/lower.ts";
import { Memory } from "../../model/engine/webgpu/memory.ts";
import { type Rates, SLOWEST } from "../../model/engine/webgpu/pace.ts";
import { Pipelines } from "../../model/engine/webgpu/pipelines.ts";
import { pickSplit } from "../../model/engine/webgpu/probe.ts";
import { Program } from "../../model/engine/webgpu/program.ts";
import { Readback } from "../../model/engine/webgpu/readback.ts";
import { tablesOf } from "../../model/engine/webgpu/tables.ts";
import { createWebgpuTrainer } from "../../model/engine/webgpu/trainer.ts";
import { inOnePart } from "../../model/engine/webgpu/vectors.ts";
import type { CodecSpec } from "../../protocol/codec/codec.ts";
import { codecOf } from "../../protocol/frame.ts";

/** Arenas as plain numbers, so that they cross from the test to the page. */
export type PlainArenas = Partial<Record<Arena, number[]>>;

/** The arenas of a training step: a residual has no place among them. */
type Held = Exclude<Arena, "residual">;

let gpu: ReturnType<typeof openGpu> | undefined;

/** What holds pipelines: a device keeps one, and compiles the same code once, only while somebody holds it. */
const held: unknown[] = [];

/** Runs ops one after another on a device of their own, split for an adapter of these rates, and returns the arenas they left. */
async function runOps(
  ops: readonly Op[],
  arenas: PlainArenas,
  tuning: Tuning,
  { lossScale, rate, correction1, correction2 }: Dynamics,
  rows: number,
  rates: Rates = SLOWEST.software,
): Promise<PlainArenas> {
  gpu ??= openGpu();
  const { device, lossGuard } = await gpu;
  const length = (name: Held) => arenas[name]?.length ?? 0;
  const flat = ["parameters", "gradients", "m", "loaded"] as const;
  const tables = tablesOf(ops, length("tokens"));
  const memory = new Memory(device, {
    vectors: inOnePart(Math.max(...flat.map(length)), length("v")),
    activations: length("activations"),
    tokens: length("tokens") + tables.words.length,
  });
  const bufferOf = (name: Held) =>
    name === "activations" || name === "tokens" ? memory.arena(name) : memory.vector(name)[0]!.buffer;
  for (const [name, values] of Object.entries(arenas) as [Held, number[]][]) {
    const data = name === "tokens" ? Uint32Array.from(values) : Float32Array.from(values);
    if (values.length > 0) device.queue.writeBuffer(bufferOf(name), 0, data);
  }
  const dynamics = new DataView(new ArrayBuffer(32));
  [lossScale, rate, correction1, correction2].forEach((value, i) => {
    dynamics.setFloat32(4 * i, value, true);
  });
  dynamics.setUint32(24, rows, true);
  device.queue.writeBuffer(memory.dynamics, 0, dynamics.buffer);
  device.queue.writeBuffer(memory.arena("tokens"), tables.from * 4, tables.words);
  const kernels = lowerAll(ops, { ...tuning, convert, quads }, tables);
  const pipelines = new Pipelines(device, memory.layout);
  const before = performance.now();
  const program = await Program.link(device, memory, pipelines, kernels, rates);
  const compiled = performance.now() - before;
  if (compiled > 1500)
    console.log(`${kernels.map(({ name }) => name).join()} took ${compiled} ms to compile`);
  const names = BINDINGS.filter((name) => name !== "ring" && name !== "tokens" && length(name) > 0);
  const out: PlainArenas = {};
  const readback = new Readback(device, lossGuard, [Math.max(...names.map((n) => length(n as Held))), 0]);
  let first = true;
  for (const name of names as Held[]) {
    const piece = { buffer: bufferOf(name), from: 0, length: length(name) };
    const [values] = await readback.read([piece], first ? (pass) => program.encode(pass) : undefined);
    first = false;
    out[name] = [...values!];
  }
  readback.destroy();
  program.destroy();
  memory.destroy();
  held.push(program);
  return out;
}

/** A ticket for {@link train}. Vectors are typed arrays: they cross to the page as bytes, and not number by number. */
export interface Job extends TrainerOptions {
  readonly tiles?: Tiles;
  readonly weights: Float32Array;
  /** One step each. */
  readonly batches: readonly Uint16Array[];
  readonly rate: number;
  /** Reads logits of this many tokens before training. */
  readonly logits?: number;
  /** What an earlier trainer, here or elsewhere, carried. */
  readonly carried?: Pick<Carried, "m" | "v" | "step">;
  /** Carries weights and moments over into a second ticket after this many steps. */
  readonly reloadAfter?: number;
  /** Extracts a payload by each of them in the end, one after another. */
  readonly codecs?: readonly CodecSpec[];
  /** Pretends that the adapter is a GPU, which gets other kernels than a processor. */
  readonly hardware?: boolean;
  /** Pretends that the device offers no more. */
  readonly maxStorageBufferBindingSize?: number;
  /** Replaces the one by the other in all kernels. */
  readonly spoil?: readonly [string, string];
}

/** The software adapter's own device, one that pretends to be a GPU's, and those whose kernels are spoilt. */
const devices = new Map<string, Promise<GPUDevice>>();

async function openDevice({ hardware, spoil }: Partial<Job>): Promise<GPUDevice> {
  const device = await (await navigator.gpu.requestAdapter())!.requestDevice();
  if (spoil) {
    const create = device.createShaderModule.bind(device);
    device.createShaderModule = (module) => create({ ...module, code: module.code.replace(...spoil) });
  }
  if (hardware) Object.defineProperty(device, "adapterInfo", { value: { vendor: "acme" } });
  return device;
}

/**
 * The device of all jobs of a kind: on the software adapter most of the time goes into compiling, and what one job
 * compiled the next one has. It pretends to bind no more than the job says.
 */
async function deviceFor({ maxStorageBufferBindingSize, ...job }: Partial<Job>): Promise<GPUDevice> {
  const kind = JSON.stringify([job.hardware, job.spoil]);
  const opened = devices.get(kind) ?? openDevice(job);
  devices.set(kind, opened);
  const device = await opened;
  Reflect.deleteProperty(device, "limits");
  const { maxBufferSize, maxStorageBuffersPerShaderStage } = device.limits;
  if (maxStorageBufferBindingSize !== undefined)
    Object.defineProperty(device, "limits", {
      value: { maxStorageBufferBindingSize, maxBufferSize, maxStorageBuffersPerShaderStage },
      configurable: true,
    });
  return device;
}

/** Evaluates the first batch, trains on all of them, and tells everything that can be told. */
async function train({ weights, batches, rate, ...job }: Job) {
  const device = await deviceFor(job);
  const trainer = await createWebgpuTrainer({ ...job, device });
  let loaded = weights;
  await trainer.load(loaded, { step: 0, ...job.carried });
  const [first] = batches;
  const evaluated = await trainer.evaluate(first!, job.batch);
  const logits = job.logits ? await trainer.logits(first!.slice(0, job.logits)) : new Float32Array();
  const counts = watch(device);
  let inFirstStep = { ...counts };
  for (const [step, tokens] of batches.entries()) {
    if (step === job.reloadAfter) {
      const delta = await trainer.delta();
      loaded = loaded.map((weight, i) => weight - delta[i]!);
      await trainer.load(loaded, await trainer.carried());
    }
    await trainer.step(tokens, job.batch, rate);
    if (step === 0) inFirstStep = { ...counts };
  }
  const losses = await trainer.losses();
  const { m, v, step } = await trainer.carried();
  const delta = await trainer.delta();
  const sent: { payload: Uint8Array; left: Float32Array }[] = [];
  for (const codec of job.codecs ?? []) {
    const payload = await trainer.extract(codecOf(codec));
    sent.push({ payload, left: (await trainer.carried()).residual });
  }
  const { report, tiles: chosen } = trainer;
  trainer.dispose();
  held.push(trainer);
  const out = { evaluated, logits, losses, delta, m, v, step, sent };
  return { ...out, report, chosen, ...inFirstStep };
}

/** Counts what a device is asked for from now on. */
function watch(device: GPUDevice) {
  const counts = { buffers: 0, dispatches: 0, submits: 0 };
  const createBuffer = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    counts.buffers++;
    return createBuffer(descriptor);
  };
  const submit = device.queue.submit.bind(device.queue);
  device.queue.submit = (buffers) => {
    counts.submits++;
    submit(buffers);
  };
  const { dispatchWorkgroups } = GPUComputePassEncoder.prototype;
  GPUComputePassEncoder.prototype.dispatchWorkgroups = function (...groups) {
    counts.dispatches++;
    dispatchWorkgroups.apply(this, groups);
  };
  return counts;
}

/** What the probe makes of tiles that may be split, for the model's small products. */
async function splitOf(options: TrainerOptions, tiles: Tiles): Promise<Tiles> {
  gpu ??= openGpu();
  const { device } = await gpu;
  const fit = fitTo(options, device.limits);
  const memory = new Memory(device, fit.lengths);
  const chosen = await pickSplit(await gpu, fit, memory, new Pipelines(device, memory.layout), tiles);
  memory.destroy();
  return chosen;
}

/** "fine", or the code of the ModelError that a promise rejects with. */
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "fine",
    (error: unknown) => (error instanceof ModelError ? error.code : String(error)),
  );

const lengthOf = (shape: ModelShape): number => layoutOf(shape).length;

/** Takes the known step with Muon on a trainer of these tiles. */
const checkMuon = (tiles: Tiles): Promise<void> =>
  checkTrainer((options) => createWebgpuTrainer({ ...options, tiles }), "muon");

const page = { runOps, createWebgpuTrainer, train, checkMuon, splitOf, codeOf, lengthOf };
export type EnginePage = typeof page;

declare global {
  var engine: EnginePage;
}
globalThis.engine = page;
