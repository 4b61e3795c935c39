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

/**
 * Mean wealth from which harm is shown. It is also the mean number of measured deltas until a volunteer is blamed whose
 * deltas do neither good nor harm in the mean, at least; of those that do good far more. slow-harm.test.ts measures how
 * soon harm is found.
 */
export const SHOWN = 100;

/** Effects without which nobody knows what is usual. */
const MIN_USUAL = 16;
/** Times the median of effects' amounts that counts as the largest effect: one delta alone shows little. */
const LARGEST = 2;

/**
 * What one measured effect says, from −1 (harm) to 1 (good). `late` are those of all volunteers in versions before, `here`
 * those of its own version. Where the middle one of either does harm, as where a small text is learned by heart or the model
 * goes astray by itself, only what does more than that counts as harm. Undefined while nothing is usual.
 */
export function scoreOf(
  effect: number,
  late: readonly number[],
  here: readonly number[],
): number | undefined {
  if (late.length < MIN_USUAL) return undefined;
  const largest = LARGEST * medianOf(late.map(Math.abs))!;
  if (!(largest > 0)) return undefined;
  const beyond = effect - Math.min(0, medianOf(late)!, medianOf(here) ?? 0);
  return Math.max(-1, Math.min(1, beyond / largest));
}

/** With one more bet, whose outcome this score is. Plain products, so that every machine gets the same. */
export const withScore = (harm: Harm, score: number): Harm =>
  STAKES.map((stake, k) => Math.max(1, harm[k]!) * (1 - stake * score));

/** Whether nothing speaks for harm. */
export const isNone = (harm: Harm): boolean => harm.every((wealth) => wealth <= 1);

/** Whether it is enough to blame somebody. */
export const isShown = (harm: Harm): boolean =>
  harm.reduce((sum, wealth) => sum + wealth, 0) / harm.length >= SHOWN;
