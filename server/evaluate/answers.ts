import type { Trainer } from "../../model/contract/trainer.ts";
import type { Tokenizer } from "../../model/data/tokenizer.ts";
import { logitsRow } from "../../model/decode/generate.ts";
import type { ChoiceQuestion } from "./questions.ts";

/** A question in tokens. */
export interface Asked {
  readonly prompt: Uint16Array;
  readonly choices: readonly { readonly tokens: Uint16Array; readonly bytes: number }[];
  readonly answer: number;
}

/** Punctuation that follows a word without a blank. */
const CLOSING = /^[\s.,;:!?)\]}’”'"]/u;

/**
 * The questions as the model reads them. A choice follows its prompt after a blank, unless one of the two brings it. A
 * question that has no tokens, or a choice longer than the context, is never answered right.
 */
export function inTokens(
  questions: readonly ChoiceQuestion[],
  tokenizer: Pick<Tokenizer, "encode">,
): Asked[] {
  const encode = (text: string) => {
    try {
      return tokenizer.encode(text);
    } catch {
      return new Uint16Array(); // the tokenizer has no token for some of it
    }
  };
  return questions.map(({ prompt, choices, answer }) => ({
    prompt: encode(prompt),
    choices: choices.map((choice) => {
      const text = /\s$/u.test(prompt) || CLOSING.test(choice) ? choice : ` ${choice}`;
      return { tokens: encode(text), bytes: new TextEncoder().encode(text).length };
    }),
    answer,
  }));
}

/** Whether a question's own answer has the highest likelihood a byte of all its choices. */
export async function isRight(
  trainer: Pick<Trainer, "logits">,
  context: number,
  { prompt, choices, answer }: Asked,
): Promise<boolean> {
  let [best, found] = [Number.NEGATIVE_INFINITY, -1];
  for (const [i, { tokens, bytes }] of choices.entries()) {
    const score = (await likelihood(trainer, context, prompt, tokens)) / bytes;
    if (score > best) [best, found] = [score, i];
  }
  return found === answer;
}

/** The log likelihood of `choice` behind `prompt`, of which the model sees as much as fits: nats, −∞ where it cannot be. */
async function likelihood(
  trainer: Pick<Trainer, "logits">,
  context: number,
  prompt: Uint16Array,
  choice: Uint16Array,
): Promise<number> {
  // The choice's last token is only guessed, and takes no place; at least one token comes before.
  const room = context + 1 - choice.length;
  if (prompt.length === 0 || choice.length === 0 || room < 1) return Number.NEGATIVE_INFINITY;
  const given = prompt.subarray(Math.max(0, prompt.length - room));
  const read = new Uint16Array(given.length + choice.length - 1);
  read.set(given);
  read.set(choice.subarray(0, -1), given.length);
  const logits = await trainer.logits(read);
  let sum = 0;
  for (const [i, token] of choice.entries()) {
    sum += logProbability(logitsRow(logits, read.length, given.length - 1 + i), token);
  }
  return sum;
}

function logProbability(row: Float32Array, token: number): number {
  let most = Number.NEGATIVE_INFINITY;
  for (const logit of row) most = Math.max(most, logit);
  let sum = 0;
  for (const logit of row) sum += Math.exp(logit - most);
  return row[token]! - most - Math.log(sum);
}
