import type { CrowdStatus, RoundStatus } from "../../protocol/status.ts";
import { roundOf, trainingNow } from "./leases.ts";
import type { Rules } from "./rules.ts";
import { crowdFor } from "./similarity.ts";
import type { Effort, Pooled, State } from "./state.ts";

/** Of the deltas that are merged onto `version`; undefined where they are not all of a run on a clock. */
export function effortOf(
  merged: readonly Pooled[],
  version: number,
): Omit<Effort, "ms" | "cosine"> | undefined {
  const done = merged.flatMap((delta) => delta.done ?? []);
  if (done.length < merged.length) return undefined;
  return {
    deltas: merged.length,
    volunteers: new Set(merged.map(({ volunteer }) => volunteer)).size,
    late: merged.filter((delta) => delta.version < version).length,
    steps: done.reduce((sum, { steps }) => sum + steps, 0),
    trainMs: done.reduce((sum, { trainMs }) => sum + trainMs, 0),
  };
}

/** How the rounds of a run on a clock go, for whoever looks on; null in a run on turns. */
export function roundStatus(rules: Pick<Rules, "rounds">, state: State): RoundStatus | null {
  const { rounds } = rules;
  if (rounds === undefined) return null;
  return {
    ms: roundOf(rounds, state).ms,
    ...trainingNow(rounds, state, Math.max(1, state.soft.seen.size)),
    lately: lately(state.efforts),
  };
}

function lately(efforts: readonly Effort[]): RoundStatus["lately"] {
  const sumOf = (what: (effort: Effort) => number) => efforts.reduce((sum, effort) => sum + what(effort), 0);
  const deltas = sumOf((effort) => effort.deltas);
  if (deltas === 0) return null;
  const present = sumOf(({ volunteers, ms }) => volunteers * ms);
  return {
    versions: efforts.length,
    steps: sumOf(({ steps }) => steps) / deltas,
    late: sumOf(({ late }) => late) / deltas,
    // A late volunteer trained for two versions and is counted in one.
    goodput: present === 0 ? 0 : Math.min(1, sumOf(({ trainMs }) => trainMs) / present),
    crowd: crowdOf(efforts),
  };
}

/** By the versions whose deltas are compared, each as much as it has pairs of them. */
function crowdOf(efforts: readonly Effort[]): CrowdStatus | null {
  let [pairs, cosines, deltas, versions] = [0, 0, 0, 0];
  for (const effort of efforts) {
    if (effort.cosine === undefined) continue;
    const weight = effort.deltas * (effort.deltas - 1);
    pairs += weight;
    cosines += effort.cosine * weight;
    deltas += effort.deltas;
    versions++;
  }
  return pairs === 0 ? null : crowdFor(cosines / pairs, deltas / versions);
}
