import type { Tokenizer } from "../../model/data/tokenizer.ts";
import type { Scorer } from "../../model/engine/wasm/scorer.ts";
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

/** Tokens that the model reads once, for every choice that begins with them. */
interface Reading {
  readonly tokens: Uint16Array;
  readonly guesses: Guess[];
}

/** A token of a choice, guessed after row `row` of a reading. */
interface Guess {
  readonly row: number;
  readonly target: number;
  readonly question: number;
  readonly choice: number;
}

/** How many questions are answered right: their own answer has the highest likelihood a byte of all their choices. */
export async function countRight(
  scorer: Pick<Scorer, "losses" | "rows">,
  context: number,
  asked: readonly Asked[],
): Promise<number> {
  const readings = readingsOf(asked, context);
  // Nats; what cannot be read has no likelihood.
  const losses = asked.map(({ choices }) => choices.map(() => Number.POSITIVE_INFINITY));
  for (const { guesses } of readings)
    for (const { question, choice } of guesses) losses[question]![choice] = 0;
  for (const some of batchesOf(readings, scorer.rows)) {
    const length = some[0]!.tokens.length;
    const tokens = new Uint16Array(some.length * length);
    for (const [i, reading] of some.entries()) tokens.set(reading.tokens, i * length);
    const guesses = some.flatMap(({ guesses }, i) =>
      guesses.map((guess) => ({ ...guess, row: i * length + guess.row })),
    );
    const rows = Uint32Array.from(guesses, ({ row }) => row);
    const targets = Uint16Array.from(guesses, ({ target }) => target);
    const found = await scorer.losses(tokens, length, { rows, targets });
    for (const [i, { question, choice }] of guesses.entries()) losses[question]![choice]! += found[i]!;
  }
  return asked.filter(({ choices, answer }, i) => {
    const scores = choices.map(({ bytes }, choice) => -losses[i]![choice]! / bytes);
    return likeliest(scores) === answer;
  }).length;
}

/**
 * What must be read: each choice behind as much of its prompt as fits, one token at least. Its last token is only guessed,
 * so that choices of one token are all guessed from the prompt alone.
 */
function readingsOf(asked: readonly Asked[], context: number): Reading[] {
  const readings: Reading[] = [];
  for (const [question, { prompt, choices }] of asked.entries()) {
    const known = new Map<string, Reading>();
    for (const [choice, { tokens }] of choices.entries()) {
      const room = context + 1 - tokens.length;
      if (prompt.length === 0 || tokens.length === 0 || room < 1) continue;
      const given = prompt.subarray(Math.max(0, prompt.length - room));
      const read = Uint16Array.of(...given, ...tokens.subarray(0, -1));
      const key = read.join();
      let reading = known.get(key);
      // A scorer takes as many guesses at once as the context has places, whatever it takes beside.
      if (reading === undefined || reading.guesses.length + tokens.length > context) {
        reading = { tokens: read, guesses: [] };
        known.set(key, reading);
        readings.push(reading);
      }
      for (const [i, target] of tokens.entries())
        reading.guesses.push({ row: given.length - 1 + i, target, question, choice });
    }
  }
  return readings;
}

/** Readings of one length with up to `most` tokens and `most` guesses in all. */
function batchesOf(readings: readonly Reading[], most: number): Reading[][] {
  const batches: Reading[][] = [];
  let guesses = 0;
  for (const reading of readings.toSorted((a, b) => a.tokens.length - b.tokens.length)) {
    const { length } = reading.tokens;
    const last = batches.at(-1);
    guesses += reading.guesses.length;
    if (last?.[0]?.tokens.length === length && (last.length + 1) * length <= most && guesses <= most)
      last.push(reading);
    else {
      batches.push([reading]);
      guesses = reading.guesses.length;
    }
  }
  return batches;
}

/** The place of the highest score, of equals the first; −1 where there is none. */
function likeliest(scores: readonly number[]): number {
  let [best, found] = [Number.NEGATIVE_INFINITY, -1];
  for (const [i, score] of scores.entries()) if (score > best) [best, found] = [score, i];
  return found;
}
