import type { Trainer } from "../../model/contract/trainer.ts";
import type { Tokenizer } from "../../model/data/tokenizer.ts";
import { generate } from "../../model/decode/generate.ts";
import type { Scorer } from "../../model/engine/wasm/scorer.ts";
import { MAX_WRITTEN_CHARS } from "../../protocol/limits.ts";
import { type Asked, countRight } from "./answers.ts";
import type { WorkerData } from "./messages.ts";
import type { Evaluation } from "./ports.ts";
import { batched } from "./slice.ts";

/** Sequences measured at once: enough to fill matrix products, little memory. */
export const EVALUATION_BATCH = 8;

/** Tokens of a sample: a sentence or two. */
const SAMPLE_TOKENS = 64;
/** Characters of a sample: it travels in an event (protocol/events.ts takes 2,000). */
export const SAMPLE_CHARACTERS = 1_000;
/** Tokens that a version writes on from each of the run's prompts. */
const WRITTEN_TOKENS = 48;
const TEMPERATURE = 0.8;
const TOP_K = 40;

/**
 * The held-out loss of the version that the trainer has loaded, nats a token, over the whole slice, and a sample that goes on from the
 * held-out text's beginning: only what the model wrote, not what it was given. On from the run's prompts every version
 * writes with the same draws, so that two of them differ by what they learnt. Last it answers the questions.
 */
export async function measure(
  trainer: Trainer,
  scorer: Scorer,
  tokenizer: Pick<Tokenizer, "encode" | "decode" | "vocabulary">,
  { shape, windows, added = [], prompt, prompts }: Omit<WorkerData, "tokenizer" | "questions">,
  asked: readonly Asked[],
  version: number,
): Promise<Evaluation> {
  const lossOn = async (text: readonly Uint16Array[]) => {
    let sum = 0;
    for (const { rows, tokens } of batched(text, EVALUATION_BATCH)) {
      sum += rows * (await trainer.evaluate(tokens, rows));
    }
    return sum / text.length;
  };
  const loss = await lossOn(windows);
  const more = added.length > 0 && { added: await lossOn(added) };
  const write = async (from: Uint16Array, seed: number, length: number) => {
    const sampling = { temperature: TEMPERATURE, topK: TOP_K, vocabulary: tokenizer.vocabulary, seed };
    const tokens: number[] = [];
    for await (const token of generate(trainer, shape.context, from, sampling)) {
      tokens.push(token);
      if (tokens.length === length) break;
    }
    return tokenizer.decode(tokens);
  };
  const sample = (await write(prompt, version, SAMPLE_TOKENS)).slice(0, SAMPLE_CHARACTERS);
  const written: string[] = [];
  for (const [i, text] of prompts.entries()) {
    const tokens = tokensOf(text, tokenizer);
    const wrote = tokens.length === 0 ? "" : await write(tokens, i, WRITTEN_TOKENS);
    written.push(wrote.slice(0, MAX_WRITTEN_CHARS));
  }
  const right = await countRight(scorer, shape.context, asked);
  return {
    ...{ loss, ...more, sample },
    ...(prompts.length > 0 && { written }),
    ...(asked.length > 0 && { right }),
  };
}

/** None where the tokenizer has no tokens for a text: such a prompt is left unanswered. */
function tokensOf(text: string, tokenizer: Pick<Tokenizer, "encode">): Uint16Array {
  try {
    return tokenizer.encode(text);
  } catch {
    return new Uint16Array();
  }
}
