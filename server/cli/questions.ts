import { readFile, stat } from "node:fs/promises";
import { kindOf } from "../data-dir/directory.ts";
import { DirectoryError } from "../data-dir/error.ts";
import { ENGLISH_QUESTIONS } from "../evaluate/english-questions.ts";
import { keepQuestions } from "../evaluate/question-file.ts";
import { chanceOf, MAX_QUESTIONS_BYTES, parseQuestions, QuestionsError } from "../evaluate/questions.ts";
import { nodeFiles } from "../store/node-files.ts";
import { type CommandIo, readArgs, runCommand, UsageError } from "./command.ts";
import { lineOf } from "./failure.ts";

const QUESTIONS_USAGE = `Usage: murmuration questions FILE|english [--data DIR]

Has every measured version of a run answer multiple-choice questions: it takes the choice that is likeliest, a byte.
They are asked from the next start on, and a run keeps the questions it has.

  FILE         JSON lines: {"prompt": "The sky is", "choices": ["blue", "square"], "answer": 0}
  english      a small set that comes with this program
  --data DIR   the data directory (./data)
`;

/** `murmuration questions …`. Resolves to the exit code: 0, 1 where it failed, 2 for a wrong command. */
export const questionsCommand = (args: readonly string[], io: CommandIo): Promise<number> =>
  runCommand(
    {
      name: "questions",
      usage: QUESTIONS_USAGE,
      parse,
      async run({ from, data }) {
        if ((await kindOf(data)) !== "ours") throw new DirectoryError(`there is no run in ${data}`);
        const questions = from === "english" ? ENGLISH_QUESTIONS : parseQuestions(await read(from));
        await keepQuestions(nodeFiles(data), questions);
        const chance = Math.round(100 * chanceOf(questions));
        io.stdout.write(`${questions.length} questions, of which guessing answers ${chance}%\n`);
      },
      explain: (error, { from }) => `${error instanceof QuestionsError ? `${from}: ` : ""}${lineOf(error)}`,
    },
    args,
    io,
  );

function parse(args: readonly string[]): { readonly from: string; readonly data: string } | "help" {
  const { values, positionals } = readArgs(args, { data: { type: "string" } });
  if (values.help) return "help";
  const [from, ...more] = positionals;
  if (from === undefined || more.length > 0) throw new UsageError("name one file of questions, or english");
  return { from, data: values.data ?? "./data" };
}

/** A file that is too large is not read at all. */
async function read(file: string): Promise<Uint8Array> {
  if ((await stat(file)).size > MAX_QUESTIONS_BYTES) {
    throw new QuestionsError(`has more than ${MAX_QUESTIONS_BYTES} bytes`);
  }
  return readFile(file);
}
