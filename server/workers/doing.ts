import { messageOf } from "../../model/lib/message-of.ts";
import type { JobLine } from "../lib/jobs.ts";
import { encodeSaid } from "./said.ts";

/** Milliseconds between two words of a worker that is at work. */
const WORKING_MS = 1_000;
/** Bytes of a part of an answer: well below the smallest limit of a message (1 MB). */
const PART_BYTES = 512 * 1024;

/** Calls back repeatedly, this many milliseconds apart; returns the way to stop. */
export type Every = (ms: number, callback: () => void) => () => void;

export const everyReal: Every = (ms, callback) => {
  const timer = setInterval(callback, ms);
  return () => clearInterval(timer);
};

export interface DoingParts {
  readonly line: Pick<JobLine, "take">;
  /** This worker's name, which no other has. */
  readonly who: string;
  readonly every?: Every;
  /** Hears of jobs that could not be done. */
  readonly failed: (error: unknown) => void;
}

/** Takes jobs of a kind until somebody stops it. What `work` throws is said to whoever asked, in a line. */
export function takeJobs(
  { line, who, every = everyReal, failed }: DoingParts,
  kind: string,
  work: (job: Uint8Array<ArrayBuffer>) => Promise<Uint8Array<ArrayBuffer>>,
): () => void {
  return line.take(kind, async (job, say) => {
    say(encodeSaid({ type: "taken", who }));
    const stop = every(WORKING_MS, () => say(encodeSaid({ type: "working" })));
    try {
      const answer = await work(job);
      let at = 0;
      for (; answer.length - at > PART_BYTES; at += PART_BYTES)
        say(encodeSaid({ type: "part", bytes: answer.subarray(at, at + PART_BYTES) }));
      say(encodeSaid({ type: "last", bytes: answer.subarray(at) }));
    } catch (error) {
      failed(error);
      say(encodeSaid({ type: "failed", why: messageOf(error) }));
    } finally {
      stop();
    }
  });
}
