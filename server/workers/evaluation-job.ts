import { utf8 } from "../../protocol/bytes.ts";
import { written } from "../../protocol/events.ts";
import { parseJson } from "../../protocol/guards.ts";
import { MAX_LOSS } from "../../protocol/limits.ts";
import { integer, message, number, optional, text } from "../../protocol/schema.ts";
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

const nats = number(0, MAX_LOSS);
const evaluation = message({
  loss: nats,
  added: optional(nats),
  sample: text(SAMPLE_CHARACTERS),
  written,
  right: optional(integer(0, MAX_QUESTIONS)),
});

/** Throws `bad-json` or `bad-request`, also for a loss that is no number: the server then measures by itself. */
export const decodeEvaluation = (message: Uint8Array<ArrayBuffer>): Evaluation =>
  evaluation(parseJson(message));
