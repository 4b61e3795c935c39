import { parseArgs } from "node:util";
import { openCorpus } from "../app/run-corpus.ts";
import { begunWith } from "../app/start.ts";
import { kindOf } from "../data-dir/directory.ts";
import { DirectoryError } from "../data-dir/error.ts";
import type { Writer } from "../lib/io.ts";
import { languageTask } from "../run/language-task.ts";
import { nodeFiles } from "../store/node-files.ts";
import { readOnlyStore } from "../store/read-only.ts";
import { type Verified, verify } from "../verify/verify.ts";
import { lineOf } from "./failure.ts";

const VERIFY_USAGE = `Usage: murmuration verify DIR

Checks that a run's model is what its records say: walks the signed history from the beginning, and merges again
what was merged since the oldest kept snapshot. Changes nothing, and may run beside a server on the same
directory. Ends with 0 when everything fits, 1 when something does not, 2 when DIR holds no run.
`;

export interface VerifyIo {
  readonly stdout: Writer;
  readonly stderr: Writer;
}

/** Times reading begins again: a running server removes old snapshots meanwhile. */
const MAX_TRIES = 5;

/** `murmuration verify …`. Resolves to the exit code. */
export async function verifyCommand(args: readonly string[], io: VerifyIo): Promise<number> {
  let directory: string | undefined;
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { help: { type: "boolean", short: "h" } },
    });
    if (values.help) {
      io.stdout.write(VERIFY_USAGE);
      return 0;
    }
    directory = positionals.length === 1 ? positionals[0] : undefined;
    if (directory === undefined) throw new TypeError("name one data directory");
  } catch (error) {
    io.stderr.write(`murmuration verify: ${messageOf(error)}\n\n${VERIFY_USAGE}`);
    return 2;
  }
  try {
    const kind = await kindOf(directory);
    if (kind !== "ours") throw new DirectoryError(`${directory} holds no run`);
    io.stdout.write(describe(await verifyDirectory(directory)));
    return 0;
  } catch (error) {
    io.stderr.write(`murmuration verify: ${lineOf(error)}\n`);
    return error instanceof DirectoryError ? 2 : 1;
  }
}

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

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
