import { addFrames } from "../../protocol/frame.ts";
import type { Part } from "./step.ts";

/** Frames added in one go, and bytes of them (mean.ts). */
const MAX_WAITING = 96;
const MAX_BYTES = 32 * 1024 * 1024;

/** A part of a version's mean: of which of the journal's frames, and each one's share of it. */
export interface MeanOrder extends Part {
  readonly records: readonly number[];
  readonly shares: readonly number[];
}

/** What a version's mean is made of, for somebody who reads the journal elsewhere. */
export interface MeanAway {
  readonly records: readonly number[];
  /** Bytes of a frame, as a rule. */
  readonly frameBytes: number;
}

/** A mean that was made elsewhere, in parts that cover the vector: by whom, and whether to make it here too and compare. */
export interface MadeAway {
  readonly parts: readonly { readonly from: number; readonly values: Float32Array; readonly who: string }[];
  readonly checked: boolean;
}

/** Others that make means. */
export interface MeanHelpers {
  /** Undefined where it is not worth the way, or where a part was not made in time. Never rejects. */
  mean(
    away: MeanAway & { readonly shares: readonly number[] },
    length: number,
  ): Promise<MadeAway | undefined>;
  /** The same part came out otherwise here. */
  distrust(who: string): void;
}

/** A part of a mean, of frames that come one by one: the same bytes as where all of it is made at once. */
export async function meanOf(
  frames: AsyncIterable<Uint8Array<ArrayBuffer>>,
  { shares, from, to }: Pick<MeanOrder, "shares" | "from" | "to">,
  length: number,
): Promise<Float32Array<ArrayBuffer>> {
  const sum = new Float32Array(length);
  let waiting: { readonly frame: Uint8Array<ArrayBuffer>; readonly share: number }[] = [];
  let [bytes, position] = [0, 0];
  const add = () => {
    addFrames(waiting, sum, from, to);
    [waiting, bytes] = [[], 0];
  };
  for await (const frame of frames) {
    waiting.push({ frame, share: shares[position++]! });
    bytes += frame.length;
    if (waiting.length >= MAX_WAITING || bytes >= MAX_BYTES) add();
  }
  add();
  return sum.slice(from, to);
}
