import { messageOf } from "../../model/lib/message-of.ts";
import { asArray, asInteger, asText, parseJson } from "../../protocol/guards.ts";
import { isSeen } from "../../protocol/text.ts";

/** A question with several answers, of which the model is to find one likelier than the others. */
export interface ChoiceQuestion {
  readonly prompt: string;
  readonly choices: readonly string[];
  /** Place of the right choice. */
  readonly answer: number;
}

/** A set of questions that cannot be used; the message names the line. */
export class QuestionsError extends Error {
  override readonly name = "QuestionsError";
  readonly code = "bad-questions";
}

/** Bytes of a file of questions. */
export const MAX_QUESTIONS_BYTES = 1024 * 1024;
export const MAX_QUESTIONS = 1_000;
const MAX_PROMPT = 2_000;
const MAX_CHOICE = 400;
const MAX_CHOICES = 8;

/**
 * Reads a set as JSON lines: `{"prompt": …, "choices": […], "answer": …}`, the answer as its place from 0 or as the very
 * text of a choice. Empty lines are left out. Throws a {@link QuestionsError}.
 */
export function parseQuestions(bytes: Uint8Array): readonly ChoiceQuestion[] {
  if (bytes.length > MAX_QUESTIONS_BYTES)
    throw new QuestionsError(`has more than ${MAX_QUESTIONS_BYTES} bytes`);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new QuestionsError("is not UTF-8");
  }
  const questions: ChoiceQuestion[] = [];
  for (const [i, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    if (questions.length === MAX_QUESTIONS)
      throw new QuestionsError(`has more than ${MAX_QUESTIONS} questions`);
    try {
      questions.push(parseQuestion(line));
    } catch (error) {
      throw new QuestionsError(`line ${i + 1}: ${messageOf(error)}`);
    }
  }
  if (questions.length === 0) throw new QuestionsError("has no question");
  return questions;
}

function parseQuestion(line: string): ChoiceQuestion {
  const json = parseJson(new TextEncoder().encode(line));
  const prompt = shown(asText(json.prompt, "prompt", MAX_PROMPT), "prompt");
  const choices = asArray(json.choices, "choices", MAX_CHOICES).map((choice, i) =>
    shown(asText(choice, `choices[${i}]`, MAX_CHOICE), `choices[${i}]`),
  );
  if (choices.length < 2) throw new QuestionsError("choices must be at least two");
  if (new Set(choices).size < choices.length) throw new QuestionsError("choices must differ");
  const place = typeof json.answer === "string" ? choices.indexOf(json.answer) : json.answer;
  return { prompt, choices, answer: asInteger(place, "answer", 0, choices.length - 1) };
}

function shown(text: string, field: string): string {
  if (text.trim() === "") throw new QuestionsError(`${field} is empty`);
  if (text.split("\n").every(isSeen)) return text;
  throw new QuestionsError(`${field} has characters that cannot be shown`);
}

/** The part that guessing would answer right. */
export const chanceOf = (questions: readonly ChoiceQuestion[]): number =>
  questions.reduce((sum, { choices }) => sum + 1 / choices.length, 0) / questions.length;
