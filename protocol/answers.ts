import { asInteger, asNumber, type Json } from "./guards.ts";

/** A set of questions that versions answer (docs/OPERATIONS.md): how many, and the part that guessing would answer. */
export interface QuestionSet {
  readonly questions: number;
  readonly chance: number;
}

/** Reads a set. Throws `bad-request`. */
export const parseQuestionSet = (json: Json): QuestionSet => ({
  questions: asInteger(json.questions, "questions.questions", 1, Number.MAX_SAFE_INTEGER),
  chance: asNumber(json.chance, "questions.chance", 0, 1),
});

/** Of a measurement: the part that was answered right, and its standard error (Agresti and Coull's, which is never 0). */
export function accuracyOf(right: number, { questions }: QuestionSet): { accuracy: number; error: number } {
  const likely = (right + 2) / (questions + 4);
  return { accuracy: right / questions, error: Math.sqrt((likely * (1 - likely)) / (questions + 4)) };
}
