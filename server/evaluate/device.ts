import type { TrainerOptions } from "../../model/contract/trainer.ts";
import { createWasmTrainer, type WasmTrainer } from "../../model/engine/wasm/trainer.ts";

/**
 * The one place that says what the server measures versions with: the fast engine on one thread, in the build
 * without fused multiply-add, so that the same version has the same loss on every machine. Every Node that
 * runs this server has the SIMD it needs.
 */
export const openEvaluationTrainer = (options: TrainerOptions, trains = true): Promise<WasmTrainer> =>
  createWasmTrainer({ ...options, trains, deterministic: true });
