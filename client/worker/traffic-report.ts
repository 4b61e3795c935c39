import type { Report } from "./messages.ts";

/** Milliseconds between two reports of traffic, at least. */
const TELL_EVERY_MS = 500;

/** Counts the bytes of bodies since the start, and reports them now and then. */
export function trafficTeller(report: (report: Report) => void, clock: () => number) {
  let down = 0;
  let up = 0;
  let reportedAt = Number.NEGATIVE_INFINITY;
  const tell = () => {
    reportedAt = clock();
    report({ type: "traffic", down, up });
  };
  return {
    tell,
    count(moreDown: number, moreUp: number) {
      down += moreDown;
      up += moreUp;
      // Bytes sent are few, and matter most to a visitor who pays for them: always reported at once.
      if (moreUp > 0 || clock() - reportedAt >= TELL_EVERY_MS) tell();
    },
  };
}
