import { frameBytes } from "../../protocol/frame.ts";
import type { Lobby, RunSummary } from "../../protocol/lobby.ts";
import { runPath } from "../../protocol/run-name.ts";
import type { Run } from "../run/run.ts";
import type { OpenRun } from "./many-runs.ts";

/** Points of a curve as wide as a thumb. */
const MAX_POINTS = 40;

/** What the first page of a server of several runs says of one. */
export function summaryOf(
  run: Pick<Run, "status" | "manifest">,
  where: Pick<RunSummary, "id" | "path"> & { readonly host?: string | undefined },
): RunSummary {
  const status = run.status();
  const { parameters, tokensMerged, tokenBudget, volunteers, version, versions } = status;
  const { id, path, host } = where;
  const oneMore = status.rounds?.lately?.crowd?.oneMore ?? null;
  const up = frameBytes(run.manifest().delta, parameters);
  return {
    ...{
      id,
      path,
      run: status.run,
      name: status.name,
      operator: status.operator,
      card: status.card,
      state: status.state,
    },
    ...(host !== undefined && { host }),
    ...{ version, parameters, tokensMerged, tokenBudget, volunteers },
    deltas: status.deltas.merged,
    oneMore,
    help:
      status.state !== "running" ? 0 : volunteers === 0 ? 1 : Math.min(1, oneMore ?? 1 / (volunteers + 1)),
    heldOut: fewer(status.heldOut),
    ...(status.state === "finished" && status.sample !== null && { sample: status.sample.text }),
    uniform: status.baselines.uniform,
    bytesPerToken: status.bytesPerToken,
    bytes: { first: 4 * parameters, up, down: versions[0]?.diffBytes ?? up },
  };
}

/** At most {@link MAX_POINTS} points, evenly taken, the newest among them. */
function fewer<T>(points: readonly T[]): readonly T[] {
  if (points.length <= MAX_POINTS) return points;
  const step = (points.length - 1) / (MAX_POINTS - 1);
  return points.filter((_, i) => i === 0 || Math.floor(i / step) > Math.floor((i - 1) / step));
}

/** The runs that are made. */
export const lobbyOf = (open: readonly OpenRun[]): Lobby => ({
  runs: open.flatMap(({ name: id, run, host }) =>
    run === undefined ? [] : [summaryOf(run, { id, path: runPath(id), host })],
  ),
});
