import { frameBytes } from "../../protocol/frame.ts";
import type { RunSummary } from "../../protocol/lobby.ts";
import type { Run } from "../run/run.ts";

/** What the first page of a server of several runs says of one. */
export function summaryOf(
  run: Run,
  where: Pick<RunSummary, "id" | "path"> & { readonly host?: string | undefined },
): RunSummary {
  const status = run.status();
  const { parameters, tokensMerged, tokenBudget, volunteers, version, versions } = status;
  const { id, path, host } = where;
  const up = frameBytes(run.manifest().delta, parameters);
  return {
    ...{ id, path, name: status.name, operator: status.operator, card: status.card, state: status.state },
    ...(host !== undefined && { host }),
    ...{ version, parameters, tokensMerged, tokenBudget, volunteers },
    deltas: status.deltas.merged,
    oneMore: status.rounds?.lately?.crowd?.oneMore ?? null,
    heldOut: status.heldOut.at(-1) ?? null,
    uniform: status.baselines.uniform,
    bytesPerToken: status.bytesPerToken,
    bytes: { first: 4 * parameters, up, down: versions[0]?.diffBytes ?? up },
  };
}
