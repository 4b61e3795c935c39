import { initialWeights } from "../../model/contract/init.ts";
import { hiddenMatrices, layoutOf } from "../../model/contract/layout.ts";
import { decodeSafetensors, encodeSafetensors, headerOf } from "../../model/data/safetensors.ts";
import type { Task } from "./options.ts";
import type { Settings } from "./settings.ts";

/** A task that draws version 0. */
interface DrawnTask extends Task {
  initial(seed: number): Float32Array<ArrayBuffer>;
}

/** The task `language`: the vector is a GPT-2, its file safetensors. */
export function languageTask(settings: Settings, vocabulary: number): DrawnTask {
  const shape = { ...settings.model, vocabulary };
  const layout = layoutOf(shape);
  return {
    parameters: layout.length,
    matrices: hiddenMatrices(layout),
    tensors: layout.tensors.map(({ offset, length }) => ({ offset, length })),
    initial: (seed) => initialWeights(shape, seed),
    head: headerOf(layout),
    encode: (values) => encodeSafetensors(layout, values),
    decode: (file) => decodeSafetensors(file, layout),
  };
}
