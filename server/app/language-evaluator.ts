import { loadTokenizer } from "../../model/data/tokenizer.ts";
import { bytesPerToken } from "../evaluate/bytes-per-token.ts";
import { evaluateInThread, type ThreadEvaluator } from "../evaluate/evaluator.ts";
import type { ChoiceQuestion } from "../evaluate/questions.ts";
import { heldOutSlice } from "../evaluate/slice.ts";
import type { Settings } from "../run/settings.ts";
import type { OpenedCorpus } from "./run-corpus.ts";

/** Tokens of the held-out text that a sample goes on from, context permitting. */
const PROMPT_TOKENS = 16;

/** Bytes (UTF-8) of a token that the evaluator measures on, in the mean. Rejects where there is no window of it. */
export async function bytesPerTokenOf(
  { corpus, heldOut }: OpenedCorpus,
  settings: Settings,
): Promise<number> {
  return bytesPerToken(loadTokenizer(corpus.tokenizer), sliceOf(await heldOut(), settings));
}

const sliceOf = (text: Uint16Array, { model, evaluateWindows, seed }: Settings) =>
  heldOutSlice(text, model.context, evaluateWindows, seed);

/** Part of the windows of the run's own held-out text that are measured of what was added since. */
const ADDED_SHARE = 1 / 2;

/**
 * The evaluator of a language run. Its thread starts with the first version to measure: only an opened run
 * knows its settings, and opening one may already ask. Text that was added is measured beside the run's own, whose loss
 * so stays comparable from the first version to the last.
 */
export function languageEvaluator(
  { corpus, heldOut, heldOutAdded, texts }: OpenedCorpus,
  questions: readonly ChoiceQuestion[],
  settingsOf: () => Settings,
): ThreadEvaluator {
  return evaluateInThread({
    edition: texts,
    data: async () => {
      const settings = settingsOf();
      const shape = { ...settings.model, vocabulary: corpus.vocabulary };
      const [text, added] = [await heldOut(), await heldOutAdded()];
      const most = Math.ceil(ADDED_SHARE * settings.evaluateWindows);
      return {
        ...{ shape, tokenizer: corpus.tokenizer, windows: sliceOf(text, settings) },
        ...(added.length > 0 && { added: heldOutSlice(added, shape.context, most, settings.seed) }),
        ...{ prompts: settings.prompts, questions },
        prompt: text.slice(0, Math.min(PROMPT_TOKENS, shape.context)),
      };
    },
  });
}
