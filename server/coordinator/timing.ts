import { sameCodec } from "../../protocol/codec/codec.ts";
import type { Accepted, Clocked } from "./events.ts";
import type { Timed, Timing } from "./rounds.ts";
import type { Rules } from "./rules.ts";
import type { Done } from "./state.ts";

/** What was done of a ticket of a run on a clock. */
export const doneOf = ({ report, took, norm }: Accepted, asked: Clocked): Done => ({
  steps: report.steps ?? asked.steps,
  trainMs: Math.min(report.trainMs, took),
  ...(norm !== undefined && { norm }),
});

/** Deltas whose measurements set a round's length. */
const TIMED_DELTAS = 32;
/** Measurements of the trusted within {@link TRUSTED_MS}, from which on newcomers' do not count. */
const ENOUGH = 4;
/** Milliseconds after which those of the trusted are old: who is here now may all be newcomers. */
const TRUSTED_MS = 60_000;

/**
 * The newest measurements with those of one more delta. While deltas of trusted volunteers come, theirs alone count: a thousand
 * new keys that all send late would else make every round as long as their wait.
 */
export function withTiming(
  known: readonly Timed[],
  event: Accepted,
  rules: Rules,
  trusted: boolean,
): readonly Timed[] {
  const timing = timingOf(event, rules);
  if (timing === undefined) return known;
  const { at } = event;
  const all = [...known, { ...timing, at, trusted }];
  const ofTrusted = all.filter((one) => one.trusted);
  const lately = ofTrusted.filter((one) => at - one.at < TRUSTED_MS);
  return (lately.length < ENOUGH ? all : ofTrusted).slice(-TIMED_DELTAS);
}

/** What a delta tells of its link and its machine; nothing in a run on turns. */
function timingOf(event: Accepted, { context, rounds }: Rules): Timing | undefined {
  const { asked, took, tokens } = event;
  if (asked === undefined || rounds === undefined) return undefined;
  const { delta } = asked;
  const [finest] = rounds.sendings;
  const sent = rounds.sendings.find(({ codec }) => delta && sameCodec(codec, delta)) ?? finest;
  return {
    linkMs: (Math.max(0, took - asked.trainFor) * finest.bytes) / sent.bytes,
    sequenceMs: doneOf(event, asked).trainMs / (tokens / context),
  };
}
