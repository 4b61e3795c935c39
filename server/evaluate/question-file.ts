import { type Files, writeDurably } from "../store/files.ts";
import { type ChoiceQuestion, parseQuestions, QuestionsError } from "./questions.ts";

/** A data directory's set of questions, if it has one. */
const QUESTIONS_FILE = "questions.jsonl";

/** Throws a {@link QuestionsError} where the file is none. */
export async function keptQuestions(files: Files): Promise<readonly ChoiceQuestion[]> {
  const bytes = await files.read(QUESTIONS_FILE);
  if (bytes === undefined) return [];
  try {
    return parseQuestions(bytes);
  } catch (error) {
    if (error instanceof QuestionsError) throw new QuestionsError(`${QUESTIONS_FILE}: ${error.message}`);
    throw error;
  }
}

/**
 * Keeps a set for good, durably: answers of two versions compare only where the questions are the same. Throws a
 * {@link QuestionsError} where another set is kept already.
 */
export async function keepQuestions(files: Files, questions: readonly ChoiceQuestion[]): Promise<void> {
  const bytes = new TextEncoder().encode(questions.map((one) => `${JSON.stringify(one)}\n`).join(""));
  const kept = await files.read(QUESTIONS_FILE);
  if (kept === undefined) return writeDurably(files, QUESTIONS_FILE, bytes);
  if (!Buffer.from(kept).equals(bytes)) {
    throw new QuestionsError(`the run has other questions already, in ${QUESTIONS_FILE}`);
  }
}
