import { type ClusterOptions, openClusterCopy } from "../app/cluster.ts";
import { knownRun } from "../app/known-run.ts";
import { openCorpus } from "../app/run-corpus.ts";
import { kindOf } from "../data-dir/directory.ts";
import { DirectoryError } from "../data-dir/error.ts";
import { lockDirectory } from "../data-dir/lock.ts";
import type { ServeIo } from "../lib/io.ts";
import { sleepFor } from "../lib/sleep.ts";
import { languageTask } from "../run/language-task.ts";
import type { FileStore } from "../store/file-store.ts";
import type { ClusterStore } from "../store/followed-store.ts";
import { openFileStore } from "../store/open.ts";
import { type Store, StoreError } from "../store/store.ts";
import { StoreCopy } from "../store/store-copy.ts";
import { type CommandIo, readArgs, runCommand, UsageError } from "./command.ts";
import { lineOf } from "./failure.ts";
import { verifyDirectory } from "./verify.ts";

const USAGE = `Usage: murmuration archive ADDRESS DIR --key FILE [--follow] [--unsafe]

Copies a run from a NATS JetStream cluster, e.g. nats://a,b,c, to a data directory that has the run's corpus, also while it is
served, and verifies the copy. Started again it goes on where it was. The copy is a run like any other: verify, backup and
export work on it, and \`murmuration serve --data DIR\` goes on with it once the cluster's servers are stopped.

  --key FILE   the run's key, which is put into DIR too
  --follow     keep the copy up with the run until stopped
  --unsafe     take a cluster of one server, or an old one: for a trial
`;

/** Milliseconds between two looks at what is new. */
const FOLLOW_MS = 1_000;
const KEY = "server.key";

type ArchiveIo = CommandIo & Pick<ServeIo, "signal">;

interface Archiving extends ClusterOptions {
  readonly directory: string;
  readonly follow: boolean;
}

/** `murmuration archive …`. Resolves to the exit code: 0, 1 where it failed, 2 for a wrong command or directory. */
export const archiveCommand = (args: readonly string[], io: ArchiveIo): Promise<number> =>
  runCommand(
    {
      name: "archive",
      usage: USAGE,
      parse,
      run: (flags) => archive(flags, io),
      exitCode: (error) => (error instanceof DirectoryError ? 2 : 1),
    },
    args,
    io,
  );

function parse(args: readonly string[]): Archiving | "help" {
  const { values, positionals } = readArgs(args, {
    key: { type: "string" },
    follow: { type: "boolean" },
    unsafe: { type: "boolean" },
  });
  if (values.help) return "help";
  const [address, directory, ...more] = positionals;
  const { key, follow = false, unsafe = false } = values;
  if (address === undefined || directory === undefined || more.length > 0)
    throw new UsageError("name an address and a directory");
  if (key === undefined || key.trim() === "") throw new UsageError("archive needs --key FILE");
  return { address, directory, key, follow, unsafe };
}

async function archive({ directory, follow, ...cluster }: Archiving, io: ArchiveIo): Promise<void> {
  if ((await kindOf(directory)) !== "ours") {
    throw new DirectoryError(`${directory} must hold the run's corpus: it is not on the cluster`);
  }
  const unlock = lockDirectory(directory);
  try {
    const from = await openClusterCopy(cluster, true);
    try {
      const to = await openFileStore(directory);
      try {
        const copy = await StoreCopy.open(from, to);
        const key = await keyFor(from, to);
        const { corpus } = await openCorpus(directory);
        await knownRun(from, corpus, languageTask); // nothing of a run is copied beside another text
        const { records, objects } = await copy.pass();
        if (key !== undefined) await to.put("run", KEY, key, "secret"); // last, so that nobody can serve half a copy
        const { version, model } = await verifyDirectory(directory);
        io.stdout.write(
          `${directory}: version ${version}, model ${model}, verified; ${records} records and ${objects} files copied\n`,
        );
        if (follow) await keepUp(copy, io);
        await tellWaiting(from, io).catch(() => {}); // a cluster that does not answer has been reported
      } finally {
        await to.close();
      }
    } finally {
      await from.close();
    }
  } finally {
    unlock();
  }
}

/** Where no server leads, says what the journal lacks: a copy of it would serve without. */
async function tellWaiting({ inbox, line }: ClusterStore, { stderr }: ArchiveIo): Promise<void> {
  if (inbox === undefined || (await line.leader()) !== undefined) return;
  const waiting = await inbox.waiting();
  if (waiting > 0)
    stderr.write(
      `murmuration archive: ${waiting} acknowledged deltas are not in the journal yet; let a server lead for a moment before you serve the copy\n`,
    );
}

/** The key that the copy lacks. Rejects with a StoreError where the directory has another run's. */
async function keyFor(from: Store, to: FileStore): Promise<Uint8Array | undefined> {
  const [theirs, ours] = [await from.get("run", KEY), await to.get("run", KEY)];
  if (theirs === undefined) throw new StoreError("there is no such key file");
  if (ours === undefined) return theirs;
  if (Buffer.compare(theirs, ours) !== 0) throw new StoreError("the directory has another run's server.key");
  return undefined;
}

/** Copies what is new, again and again. What the cluster or the disk refuses for now is said once, and tried again. */
async function keepUp(copy: StoreCopy, { stderr, stdout, signal }: ArchiveIo): Promise<void> {
  let said: string | undefined;
  for (;;) {
    await sleepFor(FOLLOW_MS, signal).catch(() => {});
    if (signal.aborted) return;
    try {
      await copy.pass();
      if (said !== undefined) stdout.write("The copy is up with the run again.\n");
      said = undefined;
    } catch (error) {
      if (error instanceof StoreError) throw error;
      const why = error instanceof Error ? error.message : lineOf(error);
      if (said !== why) stderr.write(`murmuration archive: ${why}; trying again\n`);
      said = why;
    }
  }
}
