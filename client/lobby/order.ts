import type { RunSummary } from "../../protocol/lobby.ts";

/** Those that take work or will, the one where a visitor helps most first; and those that are finished, newest name first. */
export function inOrder(runs: readonly RunSummary[]): {
  readonly open: readonly RunSummary[];
  readonly finished: readonly RunSummary[];
} {
  return {
    open: runs.filter(({ state }) => state !== "finished").toSorted((a, b) => b.help - a.help),
    finished: runs.filter(({ state }) => state === "finished"),
  };
}
