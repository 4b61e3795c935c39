/** For how long a visitor pauses. */
export type PauseFor = "half-hour" | "hour" | "tomorrow";
export const PAUSES = ["half-hour", "hour", "tomorrow"] as const satisfies readonly PauseFor[];

const MINUTE_MS = 60_000;
/** Hour of the visitor's day at which tomorrow begins: nobody means midnight. */
const MORNING = 6;

/** When a pause that begins at `now` is over: milliseconds, as `now`, by the visitor's own clock and calendar. */
export function pauseEnd(pause: PauseFor, now: number): number {
  switch (pause) {
    case "half-hour":
      return now + 30 * MINUTE_MS;
    case "hour":
      return now + 60 * MINUTE_MS;
    case "tomorrow": {
      const today = new Date(now);
      return new Date(today.getFullYear(), today.getMonth(), today.getDate() + 1, MORNING).getTime();
    }
  }
}
