import { utf8 } from "../../protocol/bytes.ts";
import { asArray, asInteger, asNumber, asText, parseJson } from "../../protocol/guards.ts";
import { MAX_LOSS, MAX_PROMPTS, MAX_WRITTEN_CHARS } from "../../protocol/limits.ts";
import { SAMPLE_CHARACTERS } from "../evaluate/measure.ts";
import type { Evaluation, ModelPlace } from "../evaluate/ports.ts";
import { MAX_QUESTIONS } from "../evaluate/questions.ts";
import { parseModelPlace } from "./model-place.ts";

/** Bytes of an answer: a sample, and what was written from each prompt. */
export const MAX_EVALUATION_BYTES = 64 * 1024;

/** A version to be measured, as one message. */
export const encodeMeasure = (model: ModelPlace): Uint8Array<ArrayBuffer> => utf8(JSON.stringify({ model }));

/** Throws `bad-json` or `bad-request`. */
export const decodeMeasure = (message: Uint8Array<ArrayBuffer>): ModelPlace =>
  parseModelPlace(parseJson(message).model);

export const encodeEvaluation = (evaluation: Evaluation): Uint8Array<ArrayBuffer> =>
  utf8(JSON.stringify(evaluation));

/** Throws `bad-json` or `bad-request`, also for a loss that is no number: the server then measures by itself. */
export function decodeEvaluation(message: Uint8Array<ArrayBuffer>): Evaluation {
  const { loss, added, sample, written, right } = parseJson(message);
  const asLoss = (value: unknown, field: string) => asNumber(value, field, 0, MAX_LOSS);
  return {
    loss: asLoss(loss, "loss"),
    ...(added !== undefined && { added: asLoss(added, "added") }),
    sample: asText(sample, "sample", SAMPLE_CHARACTERS),
    ...(written !== undefined && {
      written: asArray(written, "written", MAX_PROMPTS).map((one) =>
        asText(one, "a text", MAX_WRITTEN_CHARS),
      ),
    }),
    ...(right !== undefined && { right: asInteger(right, "right", 0, MAX_QUESTIONS) }),
  };
}
