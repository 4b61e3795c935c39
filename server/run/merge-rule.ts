import { Orthogonalizer } from "../../model/engine/wasm/orthogonal.ts";
import { type CodecSpec, DENSE4 } from "../../protocol/codec/codec.ts";
import type { MergeRule } from "../merge/merge.ts";
import type { Task } from "../options.ts";
import type { Settings } from "../settings.ts";

/** Models above this send sparse deltas, if the run file says nothing: below it dense bits learn more a byte. */
const DENSE_MOST = 2_000_000;
/** SparseLoCo's (2508.15706): 64 of 4,096 values. Twelve bits a place and four a value make .25 a parameter. */
const SPARSE: CodecSpec = { name: "topk", chunk: 4096, k: 64, bits: 4 };

/** The codec of a run's deltas. */
export function deltaCodec({ delta }: Pick<Settings, "delta">, parameters: number): CodecSpec {
  if (delta !== "auto") return delta;
  return parameters <= DENSE_MOST ? DENSE4 : SPARSE;
}

/** How a run's versions follow from its deltas. */
export async function mergeRule({ outer, downlink }: Settings, { matrices }: Task): Promise<MergeRule> {
  const orthogonalizer = await Orthogonalizer.open();
  const orthogonalize = orthogonalizer.apply.bind(orthogonalizer);
  return { outer, downlink, matrices, orthogonalize };
}
