import { sameCodec } from "../../protocol/codec/codec.ts";
import type { Accepted, Clocked } from "./events.ts";
import type { Timing } from "./rounds.ts";
import type { Rules } from "./rules.ts";
import type { Done } from "./state.ts";

/** What was done of a ticket of a run on a clock. */
export const doneOf = ({ report, took, norm }: Accepted, asked: Clocked): Done => ({
  steps: report.steps ?? asked.steps,
  trainMs: Math.min(report.trainMs, took),
  ...(norm !== undefined && { norm }),
});

/** What a delta tells of its link and its machine; nothing in a run on turns. */
export function timingOf(event: Accepted, { context, rounds }: Rules): Timing[] {
  const { asked, took, tokens } = event;
  if (asked === undefined || rounds === undefined) return [];
  const { delta } = asked;
  const [finest] = rounds.sendings;
  const sent = rounds.sendings.find(({ codec }) => delta && sameCodec(codec, delta)) ?? finest;
  return [
    {
      linkMs: (Math.max(0, took - asked.trainFor) * finest.bytes) / sent.bytes,
      sequenceMs: doneOf(event, asked).trainMs / (tokens / context),
    },
  ];
}
