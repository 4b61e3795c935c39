import type { Codec } from "../../../protocol/codec/codec.ts";
import { checkBatch, checkSequence, checkWeights } from "../../contract/checks.ts";
import { ModelError } from "../../contract/config.ts";
import { layoutOf } from "../../contract/layout.ts";
import type { Carried, DeviceReport, Rest, Trainer, TrainerOptions } from "../../contract/trainer.ts";
import type { Segment } from "../ops.ts";
import { packSquares, segmentsOf, unpackSquares } from "../second-moments.ts";
import { type Gpu, openGpu } from "./adapter.ts";
import type { DeviceLossGuard } from "./device-loss-guard.ts";
import { Engine } from "./engine.ts";
import { Extraction } from "./extraction.ts";
import { Inputs } from "./inputs.ts";
import { nameOf, namesOf, type TileNames, type Tiles } from "./kernels/tile.ts";
import { LossRing } from "./loss-ring.ts";
import { RING } from "./memory.ts";
import { Readback, uploadVector } from "./readback.ts";
import { Rests, Submits } from "./submits.ts";
import { tilesNamed } from "./tuning.ts";

export interface WebgpuOptions extends TrainerOptions {
  /** A device to share (tfjs's, say). Not destroyed by dispose. Without one, the fastest adapter's. */
  readonly device?: GPUDevice;
  /** The {@link WebgpuTrainer.tiles} of an earlier trainer on this adapter: skips the probe. */
  readonly tiles?: Tiles;
  /** Tells what {@link WebgpuTrainer.remembrance} said on an earlier visit to the adapter of that description. */
  readonly recall?: (adapter: string) => Promise<TileNames | undefined>;
}

/** The probe's result, and where it holds. */
export interface Remembrance {
  readonly adapter: string;
  readonly tiles: TileNames;
}

/**
 * Trains on WebGPU. Rejects with `device-unavailable` (no WebGPU, no adapter), `device-limit` (saying which
 * limit and what would fit) or `device-wrong` (the device refuses a kernel).
 */
export async function createWebgpuTrainer(options: WebgpuOptions): Promise<WebgpuTrainer> {
  const gpu = await openGpu(options.device);
  try {
    const engine = await openEngine(gpu, options);
    const { vectors } = engine.fit.lengths;
    try {
      const extraction = await Extraction.open(gpu.device, gpu.lossGuard, engine.memory, vectors, RING);
      return new WebgpuTrainer(gpu, options, engine, extraction);
    } catch (error) {
      engine.destroy();
      throw error;
    }
  } catch (error) {
    if (gpu.owned) gpu.device.destroy();
    throw error;
  }
}

/** With the tiles that are known, or, where there are none or the device refuses them, those the probe finds. */
async function openEngine(gpu: Gpu, options: WebgpuOptions): Promise<Engine> {
  if (options.tiles) return Engine.open(gpu, options, options.tiles);
  const names = await options.recall?.(gpu.detail);
  const known = names && tilesNamed(gpu, names);
  if (known) {
    try {
      return await Engine.open(gpu, options, known);
    } catch (error) {
      if (!(error instanceof ModelError && error.code === "device-wrong")) throw error;
    }
  }
  return Engine.open(gpu, options);
}

/** A {@link Trainer} that creates no object on the device in a step but the command buffer itself. */
export class WebgpuTrainer implements Trainer {
  readonly report: DeviceReport;
  /** The probe's winners, worth remembering by adapter. */
  readonly tiles: Tiles;
  readonly #gpu: Gpu;
  readonly #options: TrainerOptions;
  readonly #engine: Engine;
  readonly #lossGuard: DeviceLossGuard;
  readonly #readback: Readback;
  readonly #length: number;
  /** Of the second moments, which lie packed on the device. */
  readonly #segments: readonly Segment[];
  readonly #extraction: Extraction;
  readonly #inputs: Inputs;
  readonly #losses: LossRing;
  readonly #submits: Submits;
  /** Calls run in order; this is the last one's end. */
  #last: Promise<unknown> = Promise.resolve();
  #loaded = false;
  #step = 0;

  constructor(gpu: Gpu, options: TrainerOptions, engine: Engine, extraction: Extraction) {
    const { shape } = options;
    const { tiles } = engine;
    this.#gpu = gpu;
    this.#options = options;
    this.#engine = engine;
    this.tiles = tiles;
    this.report = {
      device: "webgpu",
      engine: "fast",
      detail: `${gpu.detail}, tiles ${nameOf(tiles.NN)}, ${nameOf(tiles.NT)}, ${nameOf(tiles.TN)}`,
      software: gpu.software,
    };
    const layout = layoutOf(shape);
    this.#length = layout.length;
    this.#segments = segmentsOf(layout, options.optimizer);
    this.#extraction = extraction;
    this.#lossGuard = gpu.lossGuard;
    this.#submits = new Submits(gpu);
    const first = Math.max(this.#length, 4 * shape.context * Math.ceil(shape.vocabulary / 4), RING);
    this.#readback = new Readback(gpu.device, this.#lossGuard, [first, 0]);
    this.#losses = new LossRing(engine.memory.arena("ring"), this.#readback);
    this.#inputs = new Inputs(gpu.device.queue, engine.memory, engine.fit, shape);
  }

  get remembrance(): Remembrance {
    return { adapter: this.#gpu.detail, tiles: namesOf(this.tiles) };
  }

  /** Dispatches of a step whose batch needs no accumulation. */
  get dispatches(): number {
    return this.#engine.programs.first.length + this.#engine.programs.update.length;
  }

  async load(weights: Float32Array, carried?: Partial<Carried> | "kept"): Promise<void> {
    const given = carried === "kept" ? undefined : (carried ?? {});
    checkWeights(layoutOf(this.#options.shape), weights, given);
    return this.#turn(async () => {
      if (given === undefined) this.#checkLoaded();
      await this.#write(weights, given);
      this.#losses.clear();
      await this.#engine.halves?.check(this.#engine, this.#inputs, this.#submits, this.#readback, RING);
      this.#loaded = true;
      if (given === undefined) return;
      await this.#extraction.set(given.residual);
      this.#step = given.step ?? 0;
    });
  }

  async step(tokens: Uint16Array, batch: number, rate: number, rest?: Rest): Promise<void> {
    checkBatch(this.#options.shape, tokens, batch, this.#options.batch);
    const copy = tokens.slice();
    await this.#turn(async () => {
      this.#checkLoaded();
      const ring = await this.#losses.claim();
      this.#step++;
      const { fit } = this.#engine;
      const { first, more, update } = this.#engine.programs;
      this.#inputs.setStep(this.#options.optimizer, this.#step, rate);
      const micro = fit.training.batch;
      const rests = rest && new Rests(rest);
      this.#submits.beginStep();
      for (let from = 0; from < batch; from += micro) {
        const programs = [from > 0 && more ? more : first];
        const goesOn = from + micro < batch;
        if (!goesOn) programs.push(update);
        this.#inputs.write({ tokens: copy, batch, from, ring }, fit.training);
        await this.#submits.run(programs, rests && { rests, more: goesOn });
      }
      this.#submits.endStep();
      rests?.end();
    });
    await this.#submits.room();
  }

  losses(): Promise<Float32Array> {
    return this.#turn(() => {
      this.#checkLoaded();
      return this.#losses.take();
    });
  }

  delta(): Promise<Float32Array> {
    return this.#turn(() => this.#readDelta());
  }

  extract(codec: Codec): Promise<Uint8Array<ArrayBuffer>> {
    return this.#turn(async () => {
      this.#checkLoaded();
      const { payload, also } = await this.#extraction.extract(codec, this.#losses.pieces());
      this.#losses.keep(also); // they come along, for the next caller
      return payload;
    });
  }

  adjustResidual(factor: number, plus?: Float32Array): Promise<void> {
    return this.#turn(() => {
      this.#checkLoaded();
      return this.#extraction.adjust(factor, plus);
    });
  }

  carried(): Promise<Carried> {
    return this.#turn(async () => {
      this.#checkLoaded();
      const step = this.#step;
      const { memory } = this.#engine;
      const packed = await this.#readback.vector(memory.vector("v"));
      const v = unpackSquares(this.#segments, packed, this.#length);
      const m = await this.#read("m");
      return { m, v, step, residual: await this.#read("residual") };
    });
  }

  vector(which: "m" | "residual"): Promise<Float32Array> {
    return this.#turn(() => {
      this.#checkLoaded();
      return this.#read(which);
    });
  }

  async evaluate(tokens: Uint16Array, batch: number): Promise<number> {
    checkBatch(this.#options.shape, tokens, batch, this.#options.batch);
    const copy = tokens.slice();
    return this.#turn(async () => {
      this.#checkLoaded();
      const { fit, memory, programs } = this.#engine;
      for (let from = 0; from < batch; from += fit.evaluation.batch) {
        this.#inputs.write({ tokens: copy, batch, from, ring: RING }, fit.evaluation);
        await this.#submits.run([programs.evaluation]);
      }
      const [values] = await this.#readback.read([{ buffer: memory.arena("ring"), from: RING, length: 1 }]);
      return values![0]!;
    });
  }

  async logits(tokens: Uint16Array): Promise<Float32Array> {
    checkSequence(this.#options.shape, tokens);
    const words = Uint32Array.from(tokens);
    return this.#turn(async () => {
      this.#checkLoaded();
      const logits = await this.#engine.logits(this.#options.shape);
      return logits.of(words, this.#gpu.device, this.#submits, this.#readback);
    });
  }

  dispose(): void {
    this.#lossGuard.end("the trainer was disposed");
    this.#engine.destroy();
    this.#extraction.destroy();
    this.#readback.destroy();
    if (this.#gpu.owned) this.#gpu.device.destroy();
  }

  #read(which: "m" | "residual"): Promise<Float32Array> {
    return this.#readback.vector(
      which === "m" ? this.#engine.memory.vector(which) : this.#extraction.residual,
    );
  }

  async #readDelta(): Promise<Float32Array> {
    this.#checkLoaded();
    const { memory, programs } = this.#engine;
    await this.#submits.run([programs.delta]);
    return this.#readback.vector(memory.vector("gradients"));
  }

  /** What the device can make by itself, zeros and the second copy of the weights, it makes there. */
  async #write(weights: Float32Array, moments: Partial<Pick<Carried, "m" | "v">> | undefined): Promise<void> {
    const { device } = this.#gpu;
    const { memory } = this.#engine;
    const loaded = memory.vector("loaded");
    const parameters = memory.vector("parameters");
    await uploadVector(device, this.#lossGuard, parameters, weights);
    const encoder = device.createCommandEncoder();
    for (const [i, { buffer }] of parameters.entries())
      encoder.copyBufferToBuffer(buffer, 0, loaded[i]!.buffer, 0, buffer.size);
    const both = moments ? (["m", "v"] as const) : [];
    for (const which of both)
      if (!moments?.[which]) for (const { buffer } of memory.vector(which)) encoder.clearBuffer(buffer);
    device.queue.submit([encoder.finish()]);
    for (const which of both) {
      const flat = moments?.[which];
      const values = flat && which === "v" ? packSquares(this.#segments, flat) : flat;
      if (values) await uploadVector(device, this.#lossGuard, memory.vector(which), values);
    }
  }

  /** Runs `work` after all calls before it. */
  #turn<T>(work: () => T | Promise<T>): Promise<T> {
    const result = this.#last.then(() => {
      this.#lossGuard.check();
      return work();
    });
    this.#last = result.catch(() => undefined);
    return result;
  }

  #checkLoaded(): void {
    if (!this.#loaded) throw new ModelError("bad-weights", "no weights were loaded");
  }
}
