import { openCorpus } from "../app/run-corpus.ts";
import { begunWith } from "../app/start.ts";
import { DirectoryError } from "../data-dir/error.ts";
import { requireRun } from "../data-dir/runs.ts";
import { languageTask } from "../run/language-task.ts";
import { nodeFiles } from "../store/node-files.ts";
import { readOnlyStore } from "../store/read-only.ts";
import { type Verified, verify } from "../verify/verify.ts";
import { type CommandIo, readArgs, runCommand, UsageError } from "./command.ts";

const VERIFY_USAGE = `Usage: murmuration verify DIR

Checks that a run's model is what its records say: walks the signed history from the beginning, and merges again
what was merged since the oldest kept snapshot. Changes nothing, and may run beside a server on the same
directory. Ends with 0 when everything fits, 1 when something does not, 2 when DIR holds no run.
`;

/** Times reading begins again: a running server removes old snapshots meanwhile. */
const MAX_TRIES = 5;

/** `murmuration verify …`. Resolves to the exit code. */
export const verifyCommand = (args: readonly string[], io: CommandIo): Promise<number> =>
  runCommand(
    {
      name: "verify",
      usage: VERIFY_USAGE,
      parse(given) {
        const { values, positionals } = readArgs(given, {});
        if (values.help) return "help";
        const [directory, ...more] = positionals;
        if (directory === undefined || more.length > 0) throw new UsageError("name one data directory");
        return directory;
      },
      async run(directory) {
        await requireRun(directory);
        io.stdout.write(describe(await verifyDirectory(directory)));
      },
      exitCode: (error) => (error instanceof DirectoryError ? 2 : 1),
    },
    args,
    io,
  );

/** Verifies a data directory, from the beginning again where a server's retention came between. */
export async function verifyDirectory(directory: string): Promise<Verified> {
  const files = nodeFiles(directory);
  for (let tries = 1; ; tries++) {
    const before = await files.list("snapshots");
    try {
      if ((await files.list("journal")).length === 0) throw new DirectoryError(`${directory} holds no run`);
      const opened = await openCorpus(directory);
      const store = await readOnlyStore(files);
      const { corpus, task } = await begunWith(store, undefined, languageTask, opened.corpus);
      return await verify(store, corpus, task);
    } catch (error) {
      const moved = before.join() !== (await files.list("snapshots")).join();
      if (!moved || tries === MAX_TRIES) throw error;
    }
  }
}

function describe(found: Verified): string {
  const { run, version, merged, from, snapshots, diffs, frames, record, model } = found;
  return [
    `run        ${run}`,
    `records    ${version}, listing ${merged} deltas: every hash, link and signature fits`,
    `replayed   versions ${from} to ${version} give the same bytes; ${frames} kept deltas have their hashes`,
    `stored     ${snapshots} snapshots and ${diffs} diffs are as published`,
    `history    ${record}`,
    `model      ${model}`,
    "",
  ].join("\n");
}
