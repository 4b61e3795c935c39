import { withDeadline } from "../../model/lib/deadline.ts";

/** Milliseconds a script has to load; after that the page offers to try again. */
const PART_MS = 30_000;

/** Fetches code that is only needed now; rejects where it does not come. */
export const fetchPart = <T>(load: () => Promise<T>): Promise<T> =>
  withDeadline(load(), PART_MS, "a part of this page");
