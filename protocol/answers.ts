import { integer, number, object } from "./schema.ts";

export const questionSet = object({ questions: integer(1, Number.MAX_SAFE_INTEGER), chance: number(0, 1) });
/** A set of questions that versions answer (docs/OPERATIONS.md): how many, and the part that guessing would answer. */
export type QuestionSet = ReturnType<typeof questionSet>;

/** Of a measurement: the part that was answered right, and its standard error (Agresti and Coull's, which is never 0). */
export function accuracyOf(right: number, { questions }: QuestionSet): { accuracy: number; error: number } {
  const likely = (right + 2) / (questions + 4);
  return { accuracy: right / questions, error: Math.sqrt((likely * (1 - likely)) / (questions + 4)) };
}
