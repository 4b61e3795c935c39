import { stepperOf } from "../../client/benchmark/stepper.ts";
import { BATCH, CONFIGS, OPTIMIZER, type Stepper } from "../../client/benchmark/workload.ts";
import type { Trainer } from "../../model/contract/trainer.ts";
import { opsOf } from "../../model/engine/flops.ts";
import { createWasmTrainer } from "../../model/engine/wasm/trainer.ts";
import { createWebgpuTrainer } from "../../model/engine/webgpu/trainer.ts";
import type { Job } from "./job.ts";

/** The fast engine, as volunteers run it. The loss of every step is read, as of the peers. */
export async function openOurs({ config, device, threads }: Job): Promise<Stepper> {
  const shape = CONFIGS[config];
  const options = { shape, optimizer: OPTIMIZER, batch: BATCH };
  let trainer: Trainer;
  let dispatches: number;
  if (device === "webgpu") {
    const webgpu = await createWebgpuTrainer(options);
    dispatches = webgpu.dispatches;
    trainer = webgpu;
  } else {
    trainer = await createWasmTrainer({ ...options, threads });
    dispatches = opsOf(shape, BATCH);
    // It would fall back to one thread without a word louder than this.
    if (!trainer.report.detail.startsWith(`${threads} thread`))
      throw new Error(`asked for ${threads} threads, got ${trainer.report.detail}`);
  }
  return stepperOf(trainer, shape, dispatches);
}
