import type { RunId } from "../../../protocol/ids.ts";
import type { RunHelp } from "../../../protocol/run-help.ts";

/** Times as much that one more browser must help elsewhere: moving costs the download of another model. */
const MUCH_MORE = 1.5;

/**
 * The run to move to, by the server's measure of each: the one where one more browser helps most of those that the visitor
 * agreed to, if it helps there much more than here, or if there is no work here. Undefined: stay.
 */
export function whereTo(
  runs: readonly RunHelp[],
  here: RunId,
  agreed: readonly RunId[],
): RunHelp | undefined {
  const open = runs.filter(({ run, help }) => help > 0 && agreed.includes(run));
  const best = open.reduce<RunHelp | undefined>(
    (a, b) => (a === undefined || b.help > a.help ? b : a),
    undefined,
  );
  if (best === undefined || best.run === here) return undefined;
  // One who is here already brings what one more would, and a little more: there is no measure of that.
  const now = runs.find(({ run }) => run === here)?.help ?? 0;
  return best.help >= MUCH_MORE * now ? best : undefined;
}
