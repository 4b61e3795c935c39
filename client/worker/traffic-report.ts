import type { Report } from "./messages.ts";

/** Traffic is told this often at most. */
const TELL_EVERY_MS = 500;

/** Counts the bytes of bodies since the start, and reports them now and then. */
export function trafficTeller(report: (report: Report) => void, clock: () => number) {
  let down = 0;
  let up = 0;
  let told = Number.NEGATIVE_INFINITY;
  const tell = () => {
    told = clock();
    report({ type: "traffic", down, up });
  };
  return {
    tell,
    count(moreDown: number, moreUp: number) {
      down += moreDown;
      up += moreUp;
      // What is sent is rare and matters most to who pays for it: always told.
      if (moreUp > 0 || clock() - told >= TELL_EVERY_MS) tell();
    },
  };
}
