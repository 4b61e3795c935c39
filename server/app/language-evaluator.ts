import { loadTokenizer } from "../../model/data/tokenizer.ts";
import { auditInThread } from "../evaluate/auditor.ts";
import { bytesPerToken } from "../evaluate/bytes-per-token.ts";
import { evaluateInThread } from "../evaluate/evaluator.ts";
import type { AuditorData, WorkerData } from "../evaluate/messages.ts";
import type { ChoiceQuestion } from "../evaluate/questions.ts";
import { heldOutSlice } from "../evaluate/slice.ts";
import { largestBatch } from "../run/micro-batch.ts";
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

/** What a language run's versions and deltas are measured with; `settingsOf` is asked when it is needed first. */
export interface MeasuringData {
  readonly evaluator: () => Promise<WorkerData>;
  readonly auditor: () => Promise<AuditorData>;
  /** Changes with the data. */
  readonly texts: () => number;
}

/**
 * Text that was added is measured beside the run's own, whose loss so stays comparable from the first version to the last.
 */
export function measuringData(
  { corpus, heldOut, heldOutAdded, gate, texts }: OpenedCorpus,
  questions: readonly ChoiceQuestion[],
  settingsOf: () => Settings,
): MeasuringData {
  const shapeOf = ({ model }: Settings) => ({ ...model, vocabulary: corpus.vocabulary });
  return {
    texts,
    evaluator: async () => {
      const settings = settingsOf();
      const shape = shapeOf(settings);
      const [text, added] = [await heldOut(), await heldOutAdded()];
      const most = Math.ceil(ADDED_SHARE * settings.evaluateWindows);
      return {
        ...{ shape, tokenizer: corpus.tokenizer, windows: sliceOf(text, settings) },
        ...(added.length > 0 && { added: heldOutSlice(added, shape.context, most, settings.seed) }),
        ...{ prompts: settings.prompts, questions },
        prompt: text.slice(0, Math.min(PROMPT_TOKENS, shape.context)),
      };
    },
    auditor: async () => {
      const settings = settingsOf();
      const { optimizer } = settings;
      const options = { shape: shapeOf(settings), optimizer, batch: largestBatch(settings) };
      return { options, gate: await gate() };
    },
  };
}

/**
 * The threads that measure. Each starts with its first question: only an opened run knows its settings, and opening one may
 * already ask.
 */
export const measuringThreads = ({ evaluator, auditor, texts: edition }: MeasuringData) => ({
  evaluator: evaluateInThread({ edition, data: evaluator }),
  auditor: auditInThread({ edition, data: auditor }),
});
