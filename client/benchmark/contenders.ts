import { bytesOf, flopsOf, opsOf } from "../../model/engine/flops.ts";
import { messageOf } from "../../model/lib/message-of.ts";
import { visitorThreads } from "../worker/device/devices.ts";
import { openPeak } from "./fma-peak.ts";
import { type Budget, type Measured, measure } from "./measure.ts";
import type { Contender, GemmSpeed, Report, Row } from "./messages.ts";
import { stepperOf } from "./stepper.ts";
import { BATCH, CONFIGS, type ConfigName, OPTIMIZER, type Stepper } from "./workload.ts";

/** Ours: at least the ten steps of the project's own benches. */
const FAST: Budget = { warmups: 3, least: 10, most: 50, ms: 3_000 };
/** Stock tfjs may take half a minute a step on a processor in disguise: then one must do. */
const STOCK: Budget = { warmups: 1, least: 1, most: 10, ms: 8_000 };

interface Bench {
  readonly config: ConfigName;
  readonly server: string;
  readonly clock: () => number;
  readonly report: (report: Report) => void;
}

/** Measures all contenders one after another: nothing else of ours runs meanwhile. What fails tells why. */
export async function runBench(bench: Bench): Promise<void> {
  const { report } = bench;
  let gemm: GemmSpeed | undefined;
  const attempt = async (contender: Contender, work: () => Promise<void>) => {
    report({ type: "progress", contender, step: 0 });
    try {
      await work();
    } catch (error) {
      report({ type: "refused", contender, why: messageOf(error) });
    }
  };
  await attempt("fast-wasm", async () => report({ type: "row", row: await fastWasm(bench) }));
  await attempt("gemm", async () => {
    gemm = await gemmSpeed();
    report({ type: "gemm", gemm });
  });
  const { software, square = null } = gemm ?? {};
  if (gemm !== undefined) {
    await attempt("fast-webgpu", async () => report({ type: "row", row: await fastWebgpu(bench, square) }));
    await attempt("tfjs-webgpu", async () =>
      report({ type: "row", row: await stock(bench, "webgpu", square, software === true) }),
    );
  }
  await attempt("tfjs-wasm", async () =>
    report({ type: "row", row: await stock(bench, "wasm", null, false) }),
  );
  report({ type: "done" });
}

/** Loaded as the volunteer's page does (worker/device/devices.ts): each engine in a chunk of its own. */
const adapter = () => import("../../model/engine/webgpu/adapter.ts");
const products = () => import("../../model/engine/webgpu/peak.ts");

async function gemmSpeed(): Promise<GemmSpeed> {
  const [{ openGpu }, { squarePeak }] = [await adapter(), await products()];
  const gpu = await openGpu();
  try {
    const { side, best, tile } = await squarePeak(gpu);
    return { adapter: gpu.detail, software: gpu.software, side, square: best, tile };
  } finally {
    gpu.device.destroy();
  }
}

async function fastWebgpu(bench: Bench, peak: number | null): Promise<Row> {
  const { createWebgpuTrainer } = await import("../../model/engine/webgpu/trainer.ts");
  const [{ openGpu }, { productsSpeed }] = [await adapter(), await products()];
  const options = { shape: CONFIGS[bench.config], optimizer: OPTIMIZER, batch: BATCH };
  const begun = bench.clock();
  const trainer = await createWebgpuTrainer(options);
  const { tiles, dispatches } = trainer;
  const row = await rowOf(
    bench,
    "fast-webgpu",
    begun,
    await stepperOf(trainer, options.shape, dispatches),
    peak,
  );
  const gpu = await openGpu();
  try {
    return { ...row, software: gpu.software, products: await productsSpeed(gpu, options, tiles) };
  } finally {
    gpu.device.destroy();
  }
}

async function fastWasm(bench: Bench): Promise<Row> {
  const { createWasmTrainer } = await import("../../model/engine/wasm/trainer.ts");
  const shape = CONFIGS[bench.config];
  const threads = visitorThreads();
  const begun = bench.clock();
  const trainer = await createWasmTrainer({ shape, optimizer: OPTIMIZER, batch: BATCH, threads });
  const stepper = await stepperOf(trainer, shape, opsOf(shape, BATCH));
  const row = await rowOf(bench, "fast-wasm", begun, stepper, null);
  const measurePeak = await openPeak();
  return { ...row, peak: measurePeak && threads * Math.max(measurePeak(), measurePeak(), measurePeak()) };
}

async function stock(
  bench: Bench,
  device: "webgpu" | "wasm",
  peak: number | null,
  software: boolean,
): Promise<Row> {
  const begun = bench.clock();
  const { openStock } = await import("./stock.ts");
  const stepper = await openStock(CONFIGS[bench.config], device, `${bench.server}/tfjs/`);
  const row = await rowOf(bench, `tfjs-${device}`, begun, stepper, peak);
  return { ...row, software };
}

async function rowOf(
  { config, clock, report }: Bench,
  contender: Row["contender"],
  begun: number,
  stepper: Stepper,
  peak: number | null,
): Promise<Row> {
  const shape = CONFIGS[config];
  const fast = contender.startsWith("fast");
  const budget = fast ? FAST : STOCK;
  let started = 0;
  let measured: Measured;
  try {
    measured = await measure(stepper, shape, budget, clock, (step) => {
      if (step === 1) started = clock() - begun;
      report({ type: "progress", contender, step });
    });
  } finally {
    stepper.dispose?.();
  }
  const { median, steps, losses } = measured;
  return {
    contender,
    device: contender.endsWith("webgpu") ? "webgpu" : "wasm",
    engine: fast ? "fast" : "tfjs",
    detail: stepper.detail,
    software: false,
    tokensPerSecond: (BATCH * shape.context * 1000) / median,
    msPerStep: median,
    steps,
    warmups: budget.warmups,
    startMs: started,
    flops: (flopsOf(shape, BATCH) * 1000) / median,
    products: null,
    peak,
    dispatches: stepper.dispatches,
    bytes: fast ? bytesOf(shape, BATCH) : null,
    firstLoss: losses[0]!,
    lastLoss: losses.at(-1)!,
  };
}
