import { ModelError } from "../contract/config.ts";
import { Random } from "../lib/random.ts";
import type { CachedDecoder } from "./cached-decoder.ts";
import { type Sampling, sampleToken } from "./generate.ts";

/**
 * Writes on after `prompt` (one token at least), token by token, until the caller stops asking; generate.ts does
 * the same on a device, a whole context for each token. Where the context is full it starts over with its
 * newer half, so that most tokens cost one reading. Throws `bad-shape` on an empty prompt, and what
 * {@link CachedDecoder.read} and {@link sampleToken} throw.
 */
export function* generateCached(
  decoder: CachedDecoder,
  context: number,
  prompt: ArrayLike<number>,
  sampling: Sampling,
): Generator<number, never, void> {
  if (prompt.length < 1) throw new ModelError("bad-shape", "a prompt has at least one token");
  const random = new Random(sampling.seed);
  const seen = Array.from(prompt).slice(-context);
  decoder.reset();
  for (const token of seen) decoder.read(token);
  for (;;) {
    const next = sampleToken(decoder.logits(), sampling, random);
    yield next;
    seen.push(next);
    if (decoder.full) {
      decoder.reset();
      seen.splice(0, seen.length - Math.ceil(context / 2));
      for (const token of seen) decoder.read(token);
    } else {
      decoder.read(next);
    }
  }
}
