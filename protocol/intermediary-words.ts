import type { Intermediary, IntermediaryKind } from "./intermediary.ts";

/** What one language says of an intermediary. */
export interface IntermediaryWords {
  /** Before the advice, where no status was seen. */
  readonly elsewhere: string;
  /** Before the advice, with the HTTP status. */
  readonly answered: (status: number) => string;
  /** What to do about it: the end of the sentence, or all of it where nothing has answered. */
  readonly advice: Readonly<Record<IntermediaryKind, string>>;
}

/** Kinds in which nothing at all has answered. */
const UNANSWERED: ReadonlySet<IntermediaryKind> = new Set([
  "certificate",
  "unknown-host",
  "refused",
  "unreachable",
]);

/** Names what answered in the server's place, and what to do about it. */
export function describeIntermediary({ kind, status }: Intermediary, words: IntermediaryWords): string {
  const advice = words.advice[kind];
  if (UNANSWERED.has(kind)) return advice;
  return `${status === undefined ? words.elsewhere : words.answered(status)}${advice}`;
}
