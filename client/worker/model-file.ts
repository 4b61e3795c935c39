import type { Layout } from "../../model/contract/layout.ts";
import { encodeSafetensors, withinSafetensors } from "../../model/data/safetensors.ts";
import type { ModelFile } from "./replica.ts";

/** A language model's version as its one safetensors file, which shares the weights' memory. */
export const modelFile = (layout: Layout): ModelFile => ({
  write: (weights) => encodeSafetensors(layout, weights),
  read: (bytes) => withinSafetensors(bytes, layout),
  copy: (weights) => withinSafetensors(encodeSafetensors(layout, weights).slice(), layout),
});
