import type { ReadonlySignal } from "@preact/signals";
import type { Activity } from "./activity.ts";

export type { Activity };

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

interface ActivityListProps {
  readonly activity: ReadonlySignal<readonly Activity[]>;
  readonly label: string;
  /** Said while nothing has happened. */
  readonly none: string;
}

/** Events since the page was opened, newest first. */
export function ActivityList({ activity, label, none }: ActivityListProps) {
  const lines = activity.value;
  if (lines.length === 0) return <p class="wait">{none}</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
    <ul class="activity" tabIndex={0} aria-label={label}>
      {lines.map(({ id, at, line }) => (
        <li key={id}>
          <time dateTime={at.toISOString()}>{clock.format(at)}</time> {line}
        </li>
      ))}
    </ul>
  );
}
