import type { AuditedAs } from "../../protocol/people.ts";
import type { Change, Measured } from "../../protocol/shared-audit.ts";
import { MAX_HARM, SURE } from "./bounds.ts";
import type { Look, Purse } from "./budget.ts";
import { isChance } from "./chance.ts";
import { EFFORT, fallsShort, isLittle, STEADY } from "./effort.ts";
import { FORFEITED, type Trust } from "./standing.ts";
import { usualGain } from "./usual.ts";

/** An audit's measurements. */
export interface Evidence extends Measured {
  /** As {@link Measured.distance}, between the server's own and what it gets from weights that are off by rounding. */
  readonly unsteadiness?: number;
  /** The changes by a delta that the server made of the ticket itself, where it was asked for. */
  readonly own?: Pick<Measured, "assigned" | "gate">;
  /** The cosine of the two deltas. */
  readonly cosine?: number;
}

export type AuditReason = AuditedAs["reason"];

export interface Verdict {
  /** Unclear: nothing follows from it but that the delta was looked at. */
  readonly verdict: AuditedAs["verdict"];
  readonly reason: AuditReason;
  /** Gain of each of its steps on its own text. */
  readonly gain?: number;
}

/** A verdict on what was seen so far. */
interface Judged extends Verdict {
  /** It gains so little that it may not have been trained as its ticket says. */
  readonly little?: true;
}

/**
 * Part of what others recently gained on their text that a delta gains at least: noise of the same size gains about ±2%
 * of it in a model of 20,000 parameters, and less in larger ones.
 */
const MIN_GAIN = 0.03;
/** Part of what others gain that a delta must cost to be bad, after a roll-back or where little of its ticket was done. */
const MIN_BLAME = 0.5;
/** Part of a ticket's steps that is too little to blame a delta for gaining nothing; free riders have as much of a credit by it. */
const MAX_LITTLE = 1 / 10;
/**
 * Largest distance of a recomputed delta: devices round differently, and AdamW makes a full step of a gradient that is
 * nearly zero, whatever its sign. SECURITY.md has the measurements.
 */
export const MAX_DISTANCE = 0.1;
/**
 * Largest distance as a part of {@link Measured.shortened}. A fixed bound cannot tell half of the work, doubled, from
 * rounding: half of a ticket's steps lead .03 to .8 from where all of them do, depending on codec, length and model.
 */
const MAX_OF_SHORTENED = 1 / 2;
/**
 * Largest ratio of the two lengths, either way. Rounding turns single values, and changes the length by a hundredth.
 */
const MAX_LENGTH = 1.25;
/**
 * Unsteadiness, as a part of the largest distance, from which a recomputation shows nothing: at rates far too high a
 * ticket's course is chaotic, and rounding alone may take another device's delta anywhere.
 */
const UNSTEADY = 1 / 10;

/**
 * The verdict on the evidence. A delta that was trained on its text helps there, whatever the text, except where a model
 * does not learn at these rates: there the server's own delta does no better, and nobody is to blame. Gains may also fall
 * faster than what others gained lately tells, most of all within a run's first versions: so what the server's own gains
 * is what is usual, where that is less.
 */
export function verdictOf({ own, cosine = 0, ...told }: Evidence, steps: number, trust: Trust): Judged {
  const { unsteadiness = 0, assigned, gate } = told;
  const unsteady = unsteadiness > UNSTEADY * maxDistance(told);
  const usual = usualGain(trust.usual);
  const verdict = verdictAlone(unsteady ? { assigned, gate } : told, steps, usual);
  if (verdict.verdict === "good" && verdict.gain !== undefined && told.distance === undefined) {
    const little = isLittle(verdict.gain, trust.usual);
    if (little && own !== undefined && fallsShort({ assigned }, own)) {
      return { verdict: unsteady ? "unclear" : "bad", reason: "no-gain" };
    }
    return { ...verdict, ...(little && own === undefined && { little }) };
  }
  if (verdict.verdict !== "bad" || own === undefined || verdict.reason === "mismatch") return verdict;
  const unclear = { verdict: "unclear", reason: verdict.reason } as const;
  if (unsteady) return unclear;
  const gain = gainOf(own.assigned, steps);
  const here = verdictAlone({ assigned, gate }, steps, Math.max(0, Math.min(usual, gain)));
  // What is blamed must be bad by either measure, and what is good needs a model that surely learns.
  const learns = gain > (SURE * (own.assigned.error ?? 0)) / steps;
  const proven = here.verdict === "bad" ? verdictAlone(own, steps, usual).verdict === "good" : learns;
  const chance = here.verdict === "bad" && isChance(told, own.assigned, cosine);
  return proven && !chance ? here : unclear;
}

/**
 * The same of a delta larger than what is usual, of which only a part is merged, or one that opposes the server's own
 * direction: it is good only where it surely lowers the loss on gate text, since whoever audits its own delta first can make one
 * that gains on its ticket's text and does harm within the bound. Nobody is blamed for missing that.
 */
export function verdictOfOdd(evidence: Evidence, steps: number, trust: Trust): Judged {
  const verdict = verdictOf(evidence, steps, trust);
  if (verdict.verdict !== "good" || verdict.reason === "recomputed") return verdict;
  const { before, after, error = 0 } = evidence.gate;
  return before - after > SURE * error ? verdict : { verdict: "unclear", reason: "harm" };
}

/** The largest distance that the evidence itself allows. */
const maxDistance = ({ shortened = 1 }: Pick<Evidence, "shortened">): number =>
  Math.min(MAX_DISTANCE, MAX_OF_SHORTENED * shortened);

const gainOf = ({ before, after }: Change, steps: number): number => (before - after) / steps;

/** Of a ticket's steps, those that were done, since its time was over, and those that were asked for. */
export interface Steps {
  readonly done: number;
  readonly asked: number;
}

/**
 * The verdict on a delta, by how much of its ticket was done. What rounding left over from the deltas before is sent with the
 * next one, and outweighs the few steps of a machine that was busy meanwhile: then a delta that gains nothing is unclear,
 * unless it costs about as much as all of the ticket's steps would have gained.
 */
export function verdictOnPart(verdict: Judged, { assigned }: Evidence, steps: Steps, trust: Trust): Judged {
  const few = steps.done <= MAX_LITTLE * steps.asked;
  if (verdict.verdict !== "bad" || verdict.reason !== "no-gain" || !few) return verdict;
  const cost = assigned.after - assigned.before;
  const spared = cost < MIN_BLAME * usualGain(trust.usual) * steps.asked;
  return spared ? { verdict: "unclear", reason: verdict.reason } : verdict;
}

/** `usual`: what a step of others gains on its own text. */
function verdictAlone(
  { assigned, gate, distance, shortened = 1, length = 1 }: Omit<Evidence, "own">,
  steps: number,
  usual: number,
): Verdict {
  const gain = gainOf(assigned, steps);
  const harm = (gate.after - gate.before) / steps;
  if (distance !== undefined) {
    return distance <= maxDistance({ shortened }) && length <= MAX_LENGTH && length >= 1 / MAX_LENGTH
      ? { verdict: "good", reason: "recomputed", gain }
      : { verdict: "bad", reason: "mismatch" };
  }
  const least = MIN_GAIN * usual;
  const [missed, error] = [least - gain, (assigned.error ?? 0) / steps];
  // Not a number keeps no bound, and nothing excuses it.
  if (!(missed < 0)) return { verdict: missed < SURE * error ? "unclear" : "bad", reason: "no-gain" };
  const beyond = harm - MAX_HARM * gain;
  const both = Math.hypot((gate.error ?? 0) / steps, MAX_HARM * error);
  if (!(beyond <= 0)) return { verdict: beyond < SURE * both ? "unclear" : "bad", reason: "harm" };
  return { verdict: "good", reason: "gain", gain };
}

/**
 * What the evidence says of a delta that is looked at because the run went back: on weights it was not made for. Honest
 * ones may well gain nothing there, so that bad is only what does about as much harm as others do good. What lies between
 * is unclear: its author is not blamed, and stays a newcomer.
 */
export function blameOf(evidence: Evidence, steps: number, trust: Trust): Verdict {
  const verdict = verdictOf(evidence, steps, trust);
  // Its gain there is no measure for others.
  if (verdict.verdict === "good") return { verdict: "good", reason: verdict.reason };
  const least = -MIN_BLAME * usualGain(trust.usual);
  const gains = [evidence.assigned, evidence.gate].map((change) => gainOf(change, steps));
  return gains.every((gain) => gain >= least) ? { verdict: "unclear", reason: verdict.reason } : verdict;
}

/**
 * What becomes of the blame when the delta was looked at on the weights it was made for as well: where it did right by
 * those, it is the model that went astray, and its author with it. Undefined where nobody can look: most of what does
 * harm on weights of several versions before is honest, so that says nothing by itself.
 */
export function excused(blamed: Verdict, made: Verdict | undefined): Verdict {
  const proven = made?.verdict === "bad";
  return blamed.verdict === "bad" && !proven ? { verdict: "unclear", reason: blamed.reason } : blamed;
}

/**
 * What its author forfeits beside the credit of the delta that was found bad. After a roll-back, `on` the weights that came
 * back, all recent deltas are audited, so that one stands for no others.
 */
export const forfeitOf = ({
  verdict,
  on,
}: Pick<Verdict, "verdict"> & { readonly on?: unknown }): { readonly forfeits?: number } =>
  verdict === "bad" && on === undefined ? { forfeits: FORFEITED } : {};

/**
 * Micro-batches that the looks take: what is not good at first is looked at in more text, since a verdict costs an honest
 * volunteer its trust, and one micro-batch is noisy.
 */
const LOOKS = [1, 2, 4] as const;

/** Whether weights learned from the server's own training of a ticket: these very ones did, or the newest ones lately. */
export type Learns = "same" | "lately" | "unknown";

/** The look at the server's own training that must be paid for before somebody is blamed by a look. */
const beforeBlame = (looked: Look): Look => ({ ...looked, own: true });

/** Pays for an audit's first look; false where the share could not bear what may have to be paid for after it. */
export const payToBegin = (purse: Purse, first: Look, second: Look): boolean =>
  purse.reserves
    ? purse.pay([first, second], [beforeBlame(second)])
    : purse.pay([first], [second, beforeBlame(second)]);

/**
 * Looks until it is clear, and before anybody is blamed at what the server's own training of that ticket would have done.
 * That takes the ticket's time twice, and once where the newest weights learned lately and the delta gains nothing: that such
 * a course is steady is known then. What chance cannot have done takes none there, nor does anything on weights that came
 * back: whoever is bad on those is looked at on the weights its delta was made for as well.
 * A stranger's second look is paid for with the first, since nobody can be found bad by the first alone: their garbage would
 * have first looks use everything up. Others' is owed where the first finds their delta not good, which is seldom: reserved
 * as well, it would keep three honest deltas from being audited for each one that is. Undefined where the purse says no.
 */
export async function lookInto(
  look: (about: Look) => Promise<Evidence>,
  purse: Purse,
  judge: (evidence: Evidence) => Judged,
  learns: Learns,
): Promise<Verdict | undefined> {
  const [first, second, third] = LOOKS.map((batches) => ({ batches, own: false })) as [Look, Look, Look];
  const { reserves } = purse;
  if (!payToBegin(purse, first, second)) return undefined;
  let last = judge(await look(first));
  if (last.verdict === "good" && !last.little) {
    if (reserves) purse.refund(second);
    return last;
  }
  if (!reserves) purse.owe(second);
  for (const about of [second, third]) {
    if (about === third && !purse.pay([third], [beforeBlame(third)])) return undefined;
    const evidence = await look(about);
    last = judge(evidence);
    if (last.verdict === "good") return last.little ? withEffort(last, look, purse, judge) : last;
    if (last.verdict === "bad") {
      const gains = evidence.assigned.after < evidence.assigned.before;
      const once = learns !== "unknown" && !gains && last.reason !== "mismatch";
      if (once && (learns === "same" || isNoTraining(evidence))) return last;
      const again: Look = { ...beforeBlame(about), ...(once && { once }) };
      return purse.pay([again]) ? judge(await look(again)) : undefined;
    }
  }
  return last;
}

/** Whether no training ends so, by any chance: no loss is another than before, or its text's is no number any more. */
const isNoTraining = ({ assigned, gate }: Evidence): boolean =>
  !Number.isFinite(assigned.after) || [assigned, gate].every(({ before, after }) => before === after);

/**
 * The verdict on a delta that is good, apart from how little it gains: beside what the server's own training gains, where that
 * can be afforded, and once more before it is bad, with a course that is shown to be steady.
 */
async function withEffort(
  { little, ...good }: Judged,
  look: (about: Look) => Promise<Evidence>,
  purse: Purse,
  judge: (evidence: Evidence) => Judged,
): Promise<Verdict> {
  if (!purse.pay([EFFORT], [STEADY])) return good;
  const evidence = await look(EFFORT);
  const beside = judge(evidence);
  if (beside.verdict === "good" || !purse.pay([STEADY])) return beside;
  const { unsteadiness = 0 } = await look(STEADY);
  return judge({ ...evidence, unsteadiness });
}

/** Tokens that a forward pass costs, of those that a training step does. */
const FORWARD = 1 / 3;

/**
 * What a look costs, in tokens trained: so many of assigned and of gate text, before and after; and the ticket's where it
 * is trained again, with as much text once more for what comes of it. It is then trained twice, unless `once` is enough: is
 * its course steady?
 */
export function lookCost(
  { batches, own, effort, once }: Look,
  batchTokens: number,
  ticketTokens: number,
  fresh: boolean,
): number {
  // As much of the ticket's text as there is; before, after, and after what was trained here.
  const text = Math.min(batches * batchTokens, ticketTokens);
  const times = own ? 3 : 2;
  const others = effort ? batchTokens : text;
  const trainings = effort || once ? 1 : own ? 2 : fresh ? 1 : 0;
  return times * (text + others) * FORWARD + trainings * ticketTokens;
}

/**
 * What `audits` of fresh tickets may cost before they begin, in tokens trained. Text is a large part of it where tickets are
 * short, as a run's first are.
 */
export function freshCost(audits: number, batchTokens: number, ticketTokens: number): number {
  const [first, second] = LOOKS.map((batches) =>
    lookCost({ batches, own: false }, batchTokens, ticketTokens, true),
  ) as [number, number, number];
  return audits * (first + second);
}
