import { createReference } from "../../model/reference.ts";
import type { Trainer, TrainerOptions } from "../../model/trainer.ts";

/** The one place that says what the server measures versions with: tfjs on WASM SIMD, on one thread. */
export const openEvaluationTrainer = (options: TrainerOptions): Promise<Trainer> =>
  createReference({ ...options, backend: "wasm" });
