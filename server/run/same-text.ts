import { batchesOf, type Range } from "../../model/data/batches.ts";

/** The text of a ticket: its shard's tokens, and which of them it reads. */
export interface TicketText {
  readonly shard: Uint16Array;
  readonly range: Range;
}

/** Tokens in a row that are compared: natural text hardly ever has eight in common with text from elsewhere. */
const RUN_TOKENS = 8;
/** Runs that two tickets must share, as a part of the one's, for nearly the same delta of both to prove nothing. */
const MIN_SHARED = 1 / 2;

/**
 * Whether two tickets read much the same, wherever it begins, as they do where a text repeats itself: a sentence over and
 * over, a gap in DNA, a log. Their honest deltas may be nearly the same.
 */
export function readTheSame(one: TicketText, other: TicketText, context: number): boolean {
  const theirs = new Set(runsOf(other, context));
  const own = [...runsOf(one, context)];
  return own.filter((run) => theirs.has(run)).length >= MIN_SHARED * own.length;
}

function* runsOf({ shard, range }: TicketText, context: number): Iterable<string> {
  const length = Math.min(RUN_TOKENS, context + 1);
  for (const tokens of batchesOf(shard, range, context)) {
    for (let at = 0; at < tokens.length; at += context + 1) {
      for (let i = at; i + length <= at + context + 1; i++) yield tokens.subarray(i, i + length).join();
    }
  }
}
