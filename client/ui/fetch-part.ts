import { withDeadline } from "../../model/lib/deadline.ts";

/** In milliseconds: a script that has not come by then is given up, and can be asked for again. */
const PART_MS = 30_000;

/** Fetches code that is only needed now; rejects where it does not come. */
export const fetchPart = <T>(load: () => Promise<T>): Promise<T> =>
  withDeadline(load(), PART_MS, "a part of this page");
