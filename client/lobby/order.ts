import type { RunSummary } from "../../protocol/lobby.ts";

/** The part by which one more volunteer helps; a run that has nobody is helped by the whole. */
const helpOf = ({ volunteers, oneMore }: RunSummary): number =>
  volunteers === 0 ? 1 : (oneMore ?? 1 / (volunteers + 1));

/** Those that take work or will, the one where a visitor helps most first; and those that are finished, newest name first. */
export function inOrder(runs: readonly RunSummary[]): {
  readonly open: readonly RunSummary[];
  readonly finished: readonly RunSummary[];
} {
  const rank = (run: RunSummary) => (run.state === "running" ? helpOf(run) : -1);
  return {
    open: runs.filter(({ state }) => state !== "finished").toSorted((a, b) => rank(b) - rank(a)),
    finished: runs.filter(({ state }) => state === "finished"),
  };
}
