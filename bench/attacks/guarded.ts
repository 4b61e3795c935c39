import type { Lab } from "./lab.ts";
import { cosine, meanOf, normOf, plus, scaled } from "./vectors.ts";

/** Usual sizes of what is sent: below those that are clipped. */
const SIZE = 1.4;
/** Times the honest mean that are taken away, the most first. */
const HARMS = [3, 2, 1.5, 1.2, 1, 0.8, 0.6, 0.4, 0.2] as const;
/** Part of what the overfitted delta gains on its own text that must be left of it. */
const GAIN_LEFT = 0.06;
/** Cosine with the honest mean below which it might oppose the server's own direction, and wait for its audit. */
export const MIN_AGREEMENT = -0.05;
/** Times its gain on its own text that it may cost on other text: an audit allows 3. */
const MAX_HARM = 2.6;

/**
 * A guarded delta: trained again and again on its ticket's text, less as much of the honest mean as the audit, which its
 * sender runs first, lets through. `own` is the overfitted one, which is sent as it is where nothing else would pass.
 */
export async function guarded(
  own: Float32Array,
  honest: readonly Float32Array[],
  lab: Lab,
  minAgreement = MIN_AGREEMENT,
): Promise<Float32Array> {
  const length = SIZE * normOf(honest[0]!);
  const ofLength = (values: Float32Array) => scaled(length / normOf(values), values);
  const mean = ofLength(meanOf(honest));
  const before = await lab.losses();
  const most = before.own - (await lab.losses(ofLength(own))).own;
  for (const times of HARMS) {
    const delta = ofLength(plus(ofLength(own), -times, mean));
    const after = await lab.losses(delta);
    const gain = before.own - after.own;
    const agrees = cosine(delta, mean) >= minAgreement;
    if (agrees && gain >= GAIN_LEFT * most && after.other - before.other <= MAX_HARM * gain) {
      return delta;
    }
  }
  return ofLength(own);
}
