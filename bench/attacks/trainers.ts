import type { Inner, ModelShape } from "../../model/contract/config.ts";
import { createWasmTrainer } from "../../model/engine/wasm/trainer.ts";
import { openEvaluationTrainer } from "../../server/evaluate/device.ts";
import type { Settings } from "../../server/run/settings.ts";

/** The engines of one run. */
export async function openTrainers({ batch, optimizer, rounds }: Settings, shape: ModelShape) {
  // What tickets ask for.
  const inner = rounds === "turns" ? "adamw" : "muon";
  const options = (of: Inner) => ({ shape, batch, optimizer: { ...optimizer, inner: of } });
  const [trainer, auditor, examiner] = await Promise.all([
    createWasmTrainer(options(inner)),
    openEvaluationTrainer(options("adamw")),
    openEvaluationTrainer(options(inner)),
  ]);
  return {
    /** All volunteers'. */
    trainer,
    /** Finds the server's own direction, and what deltas did. */
    auditor,
    /** Looks at one delta, and trains its ticket as it was to be trained. */
    examiner,
    dispose: () => {
      for (const one of [trainer, auditor, examiner]) one.dispose();
    },
  };
}
