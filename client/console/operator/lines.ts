import { effect, type ReadonlySignal, signal } from "@preact/signals";
import type { RunEvent, VersionEvent } from "../../../protocol/events.ts";
import type { Overview, VersionPoint } from "../../../protocol/operator.ts";
import { formatCount, formatDuration } from "../../ui/format.ts";
import { type Activity, activityLine, KEPT_LINES, withLine } from "../activity.ts";
import { text } from "./strings.ts";

export interface Lines {
  readonly lines: ReadonlySignal<readonly Activity[]>;
  hear(event: RunEvent): void;
}

/**
 * Events as lines, in their order. A version's line waits for the overview that knows the version,
 * and what came after it waits with it: its event tells neither its loss nor what was refused meanwhile.
 */
export function openLines(overview: ReadonlySignal<Overview | undefined>): Lines {
  const lines = signal<readonly Activity[]>([]);
  let waiting: readonly { readonly event: RunEvent; readonly at: Date }[] = [];

  function tell(versions: readonly VersionPoint[]): void {
    const newest = versions.at(-1)?.version ?? 0;
    const isKnown = (event: RunEvent) =>
      event.type !== "version" || event.deltas === 0 || event.version <= newest;
    let next = lines.peek();
    for (const { event, at } of waiting) {
      if (!isKnown(event)) break;
      next = withLine(next, event.type === "version" ? lineOf(event, versions) : activityLine(event), at);
      waiting = waiting.slice(1);
    }
    lines.value = next;
  }

  effect(() => tell(overview.value?.versions ?? []));
  return {
    lines,
    hear(event) {
      waiting = [...waiting, { event, at: new Date() }].slice(-KEPT_LINES);
      tell(overview.peek()?.versions ?? []);
    },
  };
}

/** A roll-back's version is made of nothing, and no curve has it. */
function lineOf({ version, deltas, ms }: VersionEvent, versions: readonly VersionPoint[]): string {
  const point = versions.find((one) => one.version === version);
  return text.activityVersion(
    formatCount(version),
    formatCount(deltas),
    formatCount(point?.came ?? deltas),
    point === undefined ? "" : text.activityLoss(point.loss.toFixed(3)),
    formatDuration(ms),
  );
}
