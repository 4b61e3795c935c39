import { initialWeights } from "../../../model/contract/init.ts";
import type { Trainer, TrainerFactory, TrainerOptions } from "../../../model/contract/trainer.ts";
import { messageOf } from "../../../model/lib/message-of.ts";
import { speedOf } from "./probe.ts";

/**
 * WebAssembly's first step, as `stepOf` reads it, where WebAssembly was not among what was tried; undefined where it cannot hold
 * the model.
 */
export async function loneStep<Step>(
  reference: () => Promise<TrainerFactory>,
  options: TrainerOptions,
  stepOf: (trainer: Trainer, options: TrainerOptions, loss: number) => Promise<Step>,
): Promise<Step | undefined> {
  let trainer: Trainer | undefined;
  try {
    const own = await (await reference())(options);
    trainer = own;
    const { shape, batch } = options;
    await own.load(initialWeights(shape, 1));
    let step: Step | undefined;
    const first = async (loss: number) => {
      step = await stepOf(own, options, loss);
    };
    await speedOf(own, shape, batch, () => 0, 0, 0, first); // of no time: one step
    return step;
  } catch (error) {
    console.warn(`murmuration: no step to compare the GPU's with (${messageOf(error)})`);
    return undefined;
  } finally {
    trainer?.dispose();
  }
}
