import type { Trainer } from "../../model/contract/trainer.ts";
import type { Tokenizer } from "../../model/data/tokenizer.ts";
import { generate } from "../../model/decode/generate.ts";
import type { Question, WorkerData } from "./messages.ts";
import { batched } from "./slice.ts";

/** Sequences measured at once: enough to fill matrix products, little memory. */
export const EVALUATION_BATCH = 8;

/** Tokens of a sample: a sentence or two. */
const SAMPLE_TOKENS = 64;
/** Characters of a sample: it travels in an event (protocol/events.ts takes 2,000). */
const SAMPLE_CHARACTERS = 1_000;
const TEMPERATURE = 0.8;
const TOP_K = 40;

/**
 * The held-out loss of one version, nats a token, over the whole slice, and a sample that goes on from the
 * held-out text's beginning: only what the model wrote, not what it was given.
 */
export async function measure(
  trainer: Trainer,
  tokenizer: Pick<Tokenizer, "decode" | "vocabulary">,
  { shape, windows, prompt }: Pick<WorkerData, "shape" | "windows" | "prompt">,
  { version, weights }: Question,
): Promise<{ loss: number; sample: string }> {
  await trainer.load(weights);
  let sum = 0;
  for (const { rows, tokens } of batched(windows, EVALUATION_BATCH)) {
    sum += rows * (await trainer.evaluate(tokens, rows));
  }
  const sampling = { temperature: TEMPERATURE, topK: TOP_K, vocabulary: tokenizer.vocabulary, seed: version };
  const written: number[] = [];
  for await (const token of generate(trainer, shape.context, prompt, sampling)) {
    written.push(token);
    if (written.length === SAMPLE_TOKENS) break;
  }
  return { loss: sum / windows.length, sample: tokenizer.decode(written).slice(0, SAMPLE_CHARACTERS) };
}
