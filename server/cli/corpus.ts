import { MAX_WEIGHT, MIN_WEIGHT } from "../../protocol/added-text.ts";
import { addTextOffline, hasRun } from "../app/offline-text.ts";
import { addCorpus } from "../corpus/add.ts";
import { DEFAULT_VOCABULARY } from "../corpus/default.ts";
import { CorpusError } from "../corpus/error.ts";
import type { CorpusIndex } from "../corpus/index-file.ts";
import type { AddOptions, Progress } from "../corpus/options.ts";
import { type Output, ProgressBar, sizeText } from "../corpus/progress.ts";
import type { ShardEntry } from "../corpus/writer.ts";
import { severalIn } from "../data-dir/runs.ts";
import { type CommandIo, readArgs, runCommand, UsageError } from "./command.ts";
import { lineOf } from "./failure.ts";

const CORPUS_USAGE = `Usage: murmuration corpus add FILE… [--data DIR] [--vocab N | --tokenizer FILE] [--field NAME]
                                  [--skip-bad-lines] [--weight FILE=N]… [--duplicates keep|drop]

Makes a data directory's corpus: splits the text into train, gate and held-out, trains a byte-level BPE on
the train part, and writes the shards that volunteers will get. One directory is one run.

On a directory that has a run, the text is added to it: in the run's tokens, with held-out text beside what was
held out. A server that is started on it then takes it in. While one runs, add text on its operator's page.

  FILE              .txt, .md or .jsonl, each also as .gz, or .parquet, in this order; - is standard input: plain
                    text, or JSON lines when --field is given
  --data DIR        the data directory (./data)
  --vocab N         tokens in the vocabulary, 256 to 65536 (${DEFAULT_VOCABULARY})
  --tokenizer FILE  use this Hugging Face tokenizer.json instead of training one
  --field NAME      the field of a JSON line, or the column of a Parquet file, that holds its text (text)
  --weight FILE=N   have the text of FILE come N times in an epoch, from ${MIN_WEIGHT} to ${MAX_WEIGHT} (1)
  --duplicates …    keep or drop passages whose words came before, here or in the run's text; they are counted
                    either way (keep, for a new corpus; drop, for a run)
  --skip-bad-lines  leave out lines of JSON and rows that hold no text, and say how many

Text is UTF-8, or UTF-16 with or without a byte order mark.
`;

/** The exit code of a command that was stopped, as the shell gives an interrupted one. */
const STOPPED = 130;

export interface CorpusIo extends CommandIo {
  readonly stderr: Output;
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Stops the work at its next step, with nothing kept. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * `murmuration corpus …`: `args` is what follows `corpus`. Resolves to the exit code: 0, 1 for a corpus that
 * could not be made (stderr says why), 2 for a command that does not make sense, 130 when it was stopped. The
 * summary goes to stdout, all else to stderr.
 */
export const corpusCommand = (args: readonly string[], io: CorpusIo): Promise<number> =>
  runCommand(
    {
      name: "corpus",
      usage: CORPUS_USAGE,
      parse,
      async run(options) {
        const bar = new ProgressBar(io.stderr);
        const onProgress = (progress: Progress) => {
          io.signal?.throwIfAborted();
          bar.show(progress);
        };
        const warnings: string[] = [];
        const onWarning = (line: string) => warnings.push(line);
        let index: CorpusIndex;
        const several = await severalIn(options.dataDir);
        if (several !== undefined) throw new CorpusError("corpus-exists", several);
        const toRun = await hasRun(options.dataDir);
        try {
          const { vocabulary: given, ...rest } = { ...options, stdin: io.stdin, onProgress, onWarning };
          const vocabulary = given ?? DEFAULT_VOCABULARY;
          if (toRun) refuseTokens(options);
          index = await (toRun ? addTextOffline : addCorpus)({ ...rest, vocabulary });
        } finally {
          bar.end();
        }
        for (const line of warnings) io.stderr.write(`murmuration corpus: ${line}\n`);
        io.stdout.write(summary(index, options.dataDir, toRun));
      },
      explain(error) {
        if (io.signal?.aborted) return "stopped; nothing was kept";
        return `${lineOf(error)}${error instanceof CorpusError ? ` [${error.code}]` : ""}`;
      },
      exitCode: () => (io.signal?.aborted ? STOPPED : 1),
    },
    args,
    io,
  );

type Flags = Omit<AddOptions, "vocabulary"> & { readonly vocabulary: number | undefined };

/** Throws a CorpusError for flags that say in which tokens a run's text is to be: it has its own. */
function refuseTokens({ vocabulary, tokenizer, dataDir }: Flags): void {
  if (vocabulary === undefined && tokenizer === undefined) return;
  throw new CorpusError(
    "corpus-exists",
    `${dataDir} has a run, and its text is in that run's tokens: leave out --vocab and --tokenizer`,
  );
}

function parse(args: readonly string[]): Flags | "help" {
  const { values, positionals } = readArgs(args, {
    data: { type: "string", default: "./data" },
    vocab: { type: "string" },
    tokenizer: { type: "string" },
    field: { type: "string" },
    weight: { type: "string", multiple: true, default: [] },
    duplicates: { type: "string" },
    "skip-bad-lines": { type: "boolean", default: false },
  });
  if (values.help) return "help";
  const [verb, ...files] = positionals;
  if (verb !== "add") {
    throw new UsageError(verb === undefined ? "say what to do: add" : `there is no "${verb}", only add`);
  }
  if (files.length === 0) throw new UsageError("name at least one file, or - for standard input");
  if (files.filter((file) => file === "-").length > 1) throw new UsageError("- can be named once");
  if (values.data === "") throw new UsageError("--data is empty");
  if (values.vocab !== undefined && values.tokenizer !== undefined) {
    throw new UsageError("--vocab and --tokenizer exclude each other: a tokenizer has its vocabulary");
  }
  if (values.vocab !== undefined && !/^\d+$/.test(values.vocab)) {
    throw new UsageError("--vocab takes a whole number");
  }
  const { duplicates } = values;
  if (duplicates !== undefined && duplicates !== "keep" && duplicates !== "drop") {
    throw new UsageError("--duplicates is keep or drop");
  }
  return {
    files,
    dataDir: values.data,
    weights: weightsOf(files, values.weight),
    duplicates,
    vocabulary: values.vocab === undefined ? undefined : Number(values.vocab),
    tokenizer: values.tokenizer,
    field: values.field,
    skipBadLines: values["skip-bad-lines"],
    stdinKind: values.field === undefined ? "text" : "jsonl",
  };
}

function weightsOf(files: readonly string[], given: readonly string[]): readonly number[] {
  const weights = files.map(() => 1);
  for (const one of given) {
    const at = one.lastIndexOf("=");
    const file = files.indexOf(one.slice(0, at));
    const weight = Number(one.slice(at + 1));
    if (at < 0 || file < 0) throw new UsageError(`--weight ${one}: name one of the files, as FILE=N`);
    if (!(weight >= MIN_WEIGHT && weight <= MAX_WEIGHT)) {
      throw new UsageError(`--weight ${one}: from ${MIN_WEIGHT} to ${MAX_WEIGHT}`);
    }
    weights[file] = weight;
  }
  return weights;
}

/** Describes the finished corpus to the operator. */
export function summary(index: CorpusIndex, dataDir: string, added = false): string {
  const { baselines, splits, duplicates } = index;
  const share = (shards: readonly ShardEntry[]) => {
    const tokens = shards.reduce((sum, shard) => sum + shard.tokens, 0);
    const percent = ((100 * tokens) / index.tokens).toFixed(1);
    const files = shards.length === 1 ? "1 shard" : `${shards.length} shards`;
    return `${whole(tokens)} tokens (${percent}%) in ${files}`;
  };
  const nats = (value: number) => `${value.toFixed(3)} nats a token`;
  return `${[
    `${added ? "Added text to the run" : "Made a corpus"} in ${dataDir}: ${whole(index.tokens)} tokens from ${sizeText(index.bytes)} of text`,
    `  vocabulary  ${whole(index.vocabulary)}, ${(index.bytes / index.tokens).toFixed(2)} bytes a token`,
    `  train       ${share(splits.train)}`,
    `  gate        ${share(splits.gate)}`,
    `  held-out    ${share(splits.heldOut)}`,
    ...(duplicates === undefined || duplicates.passages === 0
      ? []
      : [`  duplicates  ${whole(duplicates.passages)} passages came before, ${sizeText(duplicates.bytes)}`]),
    "What guessing costs on the held-out text:",
    `  any token   ${nats(baselines.uniform)}`,
    `  unigram     ${nats(baselines.unigram)}`,
    `  bigram      ${nats(baselines.bigram)}`,
  ].join("\n")}\n`;
}

const whole = (value: number): string => value.toLocaleString("en-US");
