import type { ModelShape } from "../../model/contract/config.ts";
import { initialWeights } from "../../model/contract/init.ts";
import type { Trainer } from "../../model/contract/trainer.ts";
import { BATCH, RATE, SEED, type Stepper } from "./workload.ts";

/** A trainer of ours as a bench drives it, at the weights all contestants begin with. Reads every step's loss, as of the peers. */
export async function stepperOf(trainer: Trainer, shape: ModelShape, dispatches: number): Promise<Stepper> {
  await trainer.load(initialWeights(shape, SEED));
  let staged: Uint16Array = new Uint16Array();
  return {
    detail: trainer.report.detail,
    dispatches,
    stage: (tokens) => {
      staged = tokens;
    },
    step: async () => {
      await trainer.step(staged, BATCH, RATE);
      return (await trainer.losses())[0]!;
    },
    dispose: () => trainer.dispose(),
  };
}
