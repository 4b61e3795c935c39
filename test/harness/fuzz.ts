import { Random } from "../../model/lib/random.ts";
import { concat, utf8 } from "../../protocol/bytes.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { type Bytes, targets } from "./fuzz-targets.ts";

/** Refusals by name: any other error is a crash. */
const REFUSALS = new Set([
  "ProtocolError",
  "StoreError",
  "CorpusError",
  "SettingsError",
  "ModelError",
  "TokenizerError",
  "BadMessage",
]);

export interface Fuzzed {
  readonly runs: number;
  /** What was thrown that is no refusal, with the target and the seed of the input. */
  readonly crashes: readonly string[];
  /** The longest that one input took, ms. */
  readonly slowestMs: number;
  /** The most that one input had allocated outside of JavaScript's own heap, in bytes: vectors and buffers. */
  readonly largestBytes: number;
}

/** Gives every target changed good input until the time is over. The seed gives the same inputs again. */
export async function fuzz(ms: number, seed: number): Promise<Fuzzed> {
  const all = await targets();
  const crashes: string[] = [];
  let slowestMs = 0;
  let largestBytes = 0;
  let runs = 0;
  let held = process.memoryUsage().arrayBuffers;
  const until = performance.now() + ms;
  for (; performance.now() < until; runs++) {
    const target = all[runs % all.length]!;
    const random = new Random((seed + runs) >>> 0);
    const input = mutated(target.good[random.below(target.good.length)]!, random);
    const began = performance.now();
    try {
      target.decode(input);
    } catch (error) {
      const refused = error instanceof ProtocolError || (error instanceof Error && REFUSALS.has(error.name));
      if (!refused && crashes.length < 20)
        crashes.push(`${target.name}, seed ${seed + runs}: ${String(error)}`);
    }
    slowestMs = Math.max(slowestMs, performance.now() - began);
    const now = process.memoryUsage().arrayBuffers;
    largestBytes = Math.max(largestBytes, now - held);
    held = now;
    if (runs % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return { runs, crashes, slowestMs, largestBytes };
}

/** Numbers that decoders trip over. */
const AWKWARD = ["-1", "1e999", "-0", "9007199254740993", "0.5", "null", "[]", "{}", '"x"', "true", "1e-400"];

/** A copy of good bytes with a few changes: bits, lengths, cuts, repeats, and for JSON other values. */
function mutated(good: Bytes, random: Random): Bytes {
  let bytes = good.slice();
  for (let changes = random.below(4); changes >= 0; changes--) {
    const at = random.below(Math.max(1, bytes.length));
    switch (random.below(7)) {
      case 0:
        if (bytes.length > 0) bytes[at]! ^= 1 << random.below(8);
        break;
      case 1:
        bytes = bytes.slice(0, at);
        break;
      case 2:
        bytes = concat(bytes, bytes.slice(at));
        break;
      case 3:
        bytes.fill(random.below(2) === 0 ? 0xff : 0, at, at + 1 + random.below(8));
        break;
      case 4:
        bytes = concat(bytes.slice(0, at), bytes.slice(Math.min(bytes.length, at + 1 + random.below(16))));
        break;
      case 5:
        if (bytes.length >= 4)
          new DataView(bytes.buffer).setUint32(
            random.below(bytes.length - 3),
            random.below(2 ** 31) * 2,
            true,
          );
        break;
      default:
        if (good[0] === 0x7b) bytes = otherValue(bytes, random);
    }
  }
  return bytes;
}

/** JSON with one of its values replaced. */
function otherValue(bytes: Bytes, random: Random): Bytes {
  const text = new TextDecoder().decode(bytes);
  const values = [...text.matchAll(/:("[^"]*"|-?[\d.]+|true|false|null)/g)];
  const one = values[random.below(Math.max(1, values.length))];
  if (one === undefined) return bytes;
  const value = AWKWARD[random.below(AWKWARD.length)]!;
  return utf8(`${text.slice(0, one.index)}:${value}${text.slice(one.index + one[0].length)}`);
}
