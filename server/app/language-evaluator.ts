import { evaluateInThread, type ThreadEvaluator } from "../evaluate/evaluator.ts";
import type { Evaluator } from "../evaluate/ports.ts";
import { heldOutSlice } from "../evaluate/slice.ts";
import type { Settings } from "../run/settings.ts";
import type { OpenedCorpus } from "./run-corpus.ts";

/** Tokens of the held-out text that a sample goes on from, context permitting. */
const PROMPT_TOKENS = 16;

/**
 * The evaluator of a language run. Its thread starts with the first version to measure: only an opened run
 * knows its settings, and opening one may already ask.
 */
export function languageEvaluator(
  { corpus, heldOut }: OpenedCorpus,
  settingsOf: () => Settings,
): Evaluator & { close(): Promise<void> } {
  let thread: Promise<ThreadEvaluator> | undefined;
  const start = async () => {
    const settings = settingsOf();
    const shape = { ...settings.model, vocabulary: corpus.vocabulary };
    const text = await heldOut();
    return evaluateInThread({
      data: {
        shape,
        tokenizer: corpus.tokenizer,
        windows: heldOutSlice(text, shape.context, settings.evaluateWindows, settings.seed),
        prompt: text.slice(0, Math.min(PROMPT_TOKENS, shape.context)),
      },
    });
  };
  return {
    evaluate: async (version, weights) => {
      thread ??= start();
      return (await thread).evaluate(version, weights);
    },
    close: async () => (await thread?.catch(() => undefined))?.close(),
  };
}
