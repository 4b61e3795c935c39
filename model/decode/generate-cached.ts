import { ModelError } from "../contract/config.ts";
import { Random } from "../lib/random.ts";
import type { Reader } from "./cached-decoder.ts";
import { type Sampling, sampleToken } from "./generate.ts";

/**
 * Writes on after `prompt` (one token at least), token by token, until the caller stops asking; generate.ts does
 * the same on a device, a whole context for each token. Where the context is full it is begun anew with its
 * newer half, so that most tokens cost one reading. Throws `bad-shape` on an empty prompt, and what
 * {@link Reader.read} and {@link sampleToken} throw.
 */
export function* writeOn(
  reader: Reader,
  context: number,
  prompt: ArrayLike<number>,
  sampling: Sampling,
): Generator<number, never, void> {
  if (prompt.length < 1) throw new ModelError("bad-shape", "a prompt has at least one token");
  const random = new Random(sampling.seed);
  const seen = Array.from(prompt).slice(-context);
  reader.reset();
  for (const token of seen) reader.read(token);
  for (;;) {
    const next = sampleToken(reader.logits(), sampling, random);
    yield next;
    seen.push(next);
    if (reader.full) {
      reader.reset();
      seen.splice(0, seen.length - Math.ceil(context / 2));
      for (const token of seen) reader.read(token);
    } else {
      reader.read(next);
    }
  }
}
