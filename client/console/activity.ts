import type { RunEvent } from "../../protocol/events.ts";
import { formatBytes, formatCount, formatDuration, formatLoss, plural } from "../ui/format.ts";
import { STATE } from "./strings.ts";

/** One line of what happened, and when this page heard of it. */
export interface Activity {
  readonly id: number;
  readonly at: Date;
  readonly line: string;
}

/** Lines kept on the page. */
export const KEPT_LINES = 30;

/** An event as a line for the operator. */
export function activityLine(event: RunEvent): string {
  switch (event.type) {
    case "hello":
      return `Connected at version ${formatCount(event.version)}.`;
    case "version":
      return (
        `Version ${formatCount(event.version)}: ${plural(event.deltas, "delta")}, ` +
        `${plural(event.tokens, "token")}, ${formatDuration(event.ms)}, diff ${formatBytes(event.diffBytes)}.`
      );
    case "evaluation":
      return `Held-out loss of version ${formatCount(event.version)}: ${formatLoss(event.loss)}.`;
    case "state":
      return `The run is now ${STATE[event.state].toLowerCase()}.`;
  }
}

/** The lines after one more event, newest first. */
export const withActivity = (lines: readonly Activity[], event: RunEvent, at: Date): readonly Activity[] =>
  withLine(lines, activityLine(event), at);

/** The lines after one more, newest first. */
export function withLine(lines: readonly Activity[], line: string, at: Date): readonly Activity[] {
  const id = (lines[0]?.id ?? 0) + 1;
  return [{ id, at, line }, ...lines].slice(0, KEPT_LINES);
}
