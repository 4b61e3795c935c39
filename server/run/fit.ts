import { windowsOf } from "../../model/data/batches.ts";
import { frameBytes } from "../../protocol/frame.ts";
import { MAX_ENVELOPE_BYTES, MAX_PARAMETERS } from "../../protocol/limits.ts";
import { MAX_UPLOAD_MEMORY, NETWORK_SHARE } from "../net/limits.ts";
import { deltaCodec } from "./merge-rule.ts";
import type { RunCorpus, TaskFactory } from "./options.ts";
import { type Settings, SettingsError } from "./settings.ts";

/**
 * Holds settings against the corpus they are to be trained on, before a run begins: a run that no volunteer
 * can load, or that has no text to hand out, would only be noticed when nobody trains. Throws a SettingsError
 * that names the key and what would fit.
 */
export function requireFit(settings: Settings, corpus: RunCorpus, taskOf: TaskFactory): void {
  const wrong = [
    tooLarge(settings, corpus, taskOf) ?? tooHeavy(settings, corpus, taskOf),
    tooLong(settings, corpus),
  ].filter((problem) => problem !== undefined);
  if (wrong.length > 0) throw new SettingsError(wrong.join("; "));
}

function tooLarge(settings: Settings, { vocabulary }: RunCorpus, taskOf: TaskFactory): string | undefined {
  const { parameters } = taskOf(settings, vocabulary);
  if (parameters <= MAX_PARAMETERS) return undefined;
  const { model } = settings;
  const fits = (heads: number) => {
    const narrower = { ...settings, model: { ...model, width: heads * model.heads } };
    return taskOf(narrower, vocabulary).parameters <= MAX_PARAMETERS;
  };
  let [most, tooMany] = [0, model.width / model.heads]; // values a head has: the width is a multiple of heads
  while (tooMany - most > 1) {
    const middle = Math.floor((most + tooMany) / 2);
    if (fits(middle)) most = middle;
    else tooMany = middle;
  }
  const advice = most === 0 ? "" : `; with all else as it is, ${most * model.heads} fits`;
  return `"model.width": ${model.width} makes ${parameters} parameters, more than ${MAX_PARAMETERS}${advice}`;
}

/** A delta that is larger than what one network's uploads may take together would never be let in. */
function tooHeavy(settings: Settings, { vocabulary }: RunCorpus, taskOf: TaskFactory): string | undefined {
  const { parameters } = taskOf(settings, vocabulary);
  const bytes = frameBytes(deltaCodec(settings, parameters), parameters) + MAX_ENVELOPE_BYTES;
  const most = NETWORK_SHARE * MAX_UPLOAD_MEMORY;
  if (bytes <= most) return undefined;
  return `"delta" makes uploads of ${bytes} bytes for this model, more than ${most}; "auto" fits`;
}

/** A window is a context and the token after it. A ticket reads one train shard; held-out text is read whole. */
function tooLong({ model: { context } }: Settings, { train, heldOutTokens }: RunCorpus): string | undefined {
  const longest = train.reduce((most, { tokens }) => Math.max(most, tokens), 0);
  const [where, tokens] =
    heldOutTokens < longest ? ["held-out text", heldOutTokens] : ["longest train shard", longest];
  if (windowsOf(tokens, context) > 0) return undefined;
  const advice = tokens > 2 ? `at most ${tokens - 1} fits` : "add more text";
  return `"model.context": ${context} is too long for this corpus, whose ${where} has ${tokens} tokens; ${advice}`;
}
