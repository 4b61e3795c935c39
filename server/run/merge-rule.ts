import { Orthogonalizer } from "../../model/engine/wasm/orthogonal.ts";
import { type CodecSpec, DENSE2, DENSE4, MIDRISE2, MIDRISE3 } from "../../protocol/codec/codec.ts";
import type { Closed } from "../coordinator/events.ts";
import type { Outer } from "../merge/outer.ts";
import type { MergeRule } from "../merge/step.ts";
import type { Task } from "./options.ts";
import type { Settings } from "./settings.ts";

/** Models above this send sparse deltas, if the run file says nothing: below it dense bits learn more a byte. */
const DENSE_MOST = 2_000_000;
/** SparseLoCo's (2508.15706): 64 of 4,096 values. Twelve bits a place and four a value make .25 a parameter. */
const SPARSE: CodecSpec = { name: "topk", chunk: 4096, k: 64, bits: 4 };

/** The codec of a run's deltas. */
export function deltaCodec({ delta }: Pick<Settings, "delta">, parameters: number): CodecSpec {
  if (delta !== "auto") return delta;
  return parameters <= DENSE_MOST ? DENSE4 : SPARSE;
}

/** How deltas of a run on a clock may be sent, the finest first: in fewer bits over a slow link, where nothing is fixed. */
export function sendingCodecs(
  settings: Pick<Settings, "delta">,
  parameters: number,
): readonly [CodecSpec, ...CodecSpec[]] {
  const codec = deltaCodec(settings, parameters);
  return settings.delta === "auto" && codec.name === "dense" ? [codec, MIDRISE3, MIDRISE2] : [codec];
}

/** Versions whose diffs have four bits a value: late values cost a young run most (docs/LEARNING.md). */
const FINE_VERSIONS = 64;

/** The codec of the diff that takes replicas on from `version`. */
export function diffCodec({ downlink }: Pick<Settings, "downlink">, version: number): CodecSpec {
  if (downlink !== "auto") return downlink;
  return version < FINE_VERSIONS ? DENSE4 : DENSE2;
}

/** The part of a closed version that decides how its deltas are merged. */
export type MergeTerms = Pick<Closed, "total" | "inner" | "crowd">;

export const mergeTermsOf = ({ total, inner, crowd }: MergeTerms): MergeTerms => ({
  ...(total !== undefined && { total }),
  ...(inner !== undefined && { inner }),
  ...(crowd !== undefined && { crowd }),
});

/** How a version follows from its deltas. */
export type Merging = (closed: Pick<Closed, "version"> & MergeTerms) => MergeRule;

/** Deltas made with Muon are orthogonal already: turned once more they bring no more, and cost more (docs/LEARNING.md). */
const AVERAGE = { kind: "average", rate: 1, momentum: 0 } as const;

/**
 * Times as far as everything else that a crowd's matrices move at first: attention has to be found before its noise counts
 * (docs/LEARNING.md).
 */
const START_TIMES = 2;

/** How a run's versions follow from its deltas: the rule that takes it on from a version that is closed. */
export async function mergeRule(settings: Settings, { matrices }: Task): Promise<Merging> {
  const orthogonalizer = await Orthogonalizer.open();
  const orthogonalize = orthogonalizer.apply.bind(orthogonalizer);
  return ({ version, total, ...made }) => ({
    outer: outerOf(settings, version, made),
    ...(total !== undefined && { total }),
    ...{ downlink: diffCodec(settings, version), matrices, orthogonalize },
  });
}

/** The outer step that takes a run on from `version`. */
function outerOf({ outer: settings }: Settings, version: number, { inner, crowd }: MergeTerms): Outer {
  const { warmupVersions = 0, muonMomentum = 0, startVersions = 0, ...outer } = settings;
  if (outer.grows && inner === "muon") {
    if (!crowd) return AVERAGE;
    const part = crowd === true ? 1 : crowd;
    const nesterov = { kind: "nesterov", rate: 1, momentum: part * muonMomentum } as const;
    const times = START_TIMES - version / startVersions;
    return version < startVersions
      ? { ...nesterov, matrices: crowd === true ? times : 1 + part * (times - 1) }
      : nesterov;
  }
  return version < warmupVersions ? { ...outer, part: version / warmupVersions } : outer;
}
