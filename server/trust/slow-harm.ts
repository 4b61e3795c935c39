import { medianOf } from "../lib/median.ts";

/**
 * One volunteer's evidence of slow harm: what somebody would own by now who began with 1 and bet on harm, at each of
 * {@link STAKES}. A bet is fair only against a volunteer whose deltas do no harm, so that wealth is evidence against it:
 * an e-process (Ramdas et al., 2210.01948). It never falls below 1, as in CUSUM and e-detectors (Shin et al., 2203.03532),
 * or somebody that was good for long could harm for as long.
 */
export type Harm = readonly number[];

/** Parts of the wealth that are bet each time: small ones find slight harm, large ones find much harm soon. */
const STAKES = [1 / 8, 1 / 4, 1 / 2, 7 / 8] as const;
export const NO_HARM: Harm = STAKES.map(() => 1);
/** The stakes on each part of the model: fewer, of which so many are kept for each volunteer, and large, for what is small. */
const STAKES_ON_PARTS = [1 / 2, 7 / 8] as const;
const NONE_IN_PART: Harm = STAKES_ON_PARTS.map(() => 1);

/**
 * Mean wealth from which harm is shown. It is also the mean number of measured deltas until a volunteer is blamed whose
 * deltas do neither good nor harm in the mean, at least; of those that do good far more. slow-harm.test.ts measures how
 * soon harm is found.
 */
export const SHOWN = 100;
/**
 * The same of the parts of a model together. Smaller, since of honest volunteers none comes near either, and what harms one
 * part alone, at no cost to the whole, is to be found before much of it has added up.
 */
export const SHOWN_IN_PARTS = 50;

/** Effects without which nobody knows what is usual. */
const MIN_USUAL = 16;
/** Times the median of effects' amounts that counts as the largest effect: one delta alone shows little. */
const LARGEST = 2;
/** The same of a part's effects, where harm lies on every delta and is to be found soon. */
export const PART_SCALE = 1;

/**
 * What a measured effect says, from −1 (harm) to 1 (good). `late` are those of all volunteers in versions before, `here`
 * those of its own version. Where the middle one of either does harm, as where a small text is learned by heart or the model
 * goes astray by itself, only what does more than that counts as harm. Undefined while nothing is usual.
 */
export function scorer(
  late: readonly number[],
  here: readonly number[],
  times = LARGEST,
): ((effect: number) => number) | undefined {
  if (late.length < MIN_USUAL) return undefined;
  const largest = times * medianOf(late.map(Math.abs))!;
  if (!(largest > 0)) return undefined;
  const least = Math.min(0, medianOf(late)!, medianOf(here) ?? 0);
  return (effect) => Math.max(-1, Math.min(1, (effect - least) / largest));
}

/** With one more bet, whose outcome this score is. Plain products, so that every machine gets the same. */
export const withScore = (harm: Harm, score: number): Harm => bet(STAKES, harm, score);

/** The same of each part of the model; of a part without a score nothing is bet. */
export const withScores = (
  harms: readonly Harm[],
  scores: readonly (number | undefined)[],
): readonly Harm[] =>
  scores.map((score, part) => bet(STAKES_ON_PARTS, harms[part] ?? NONE_IN_PART, score ?? 0));

const bet = (stakes: readonly number[], harm: Harm, score: number): Harm =>
  stakes.map((stake, k) => Math.max(1, harm[k]!) * (1 - stake * score));

/** Whether nothing speaks for harm. */
export const isNone = (harm: Harm): boolean => harm.every((wealth) => wealth <= 1);

/** Whether it is enough to blame somebody. */
export const isShown = (harm: Harm): boolean => meanOf(harm) >= SHOWN;

/** The same of the parts together: a mean of such wealths is one as well, so that many parts blame nobody sooner. */
export const isShownInParts = (harms: readonly Harm[]): boolean =>
  meanOf(harms.map(meanOf)) >= SHOWN_IN_PARTS;

/** Mean wealth from which more is measured: of ten honest volunteers hardly one at a time has as much, and none for long. */
const SUSPECTED = 5;
export const isSuspicious = (harm: Harm): boolean => meanOf(harm) >= SUSPECTED;
export const isSuspiciousInParts = (harms: readonly Harm[]): boolean =>
  meanOf(harms.map(meanOf)) >= SUSPECTED;

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
