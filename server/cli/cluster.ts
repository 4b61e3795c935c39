import { join } from "node:path";
import { openClusterCopy } from "../app/cluster.ts";
import { kindOf } from "../data-dir/directory.ts";
import { DirectoryError } from "../data-dir/error.ts";
import { lockDirectory } from "../data-dir/lock.ts";
import { copyStore } from "../store/copy-store.ts";
import { nodeFiles } from "../store/node-files.ts";
import { openFileStore } from "../store/open.ts";
import { readOnlyStore } from "../store/read-only.ts";
import { type CommandIo, readArgs, runCommand, UsageError } from "./command.ts";
import { verifyDirectory } from "./verify.ts";

const USAGE = `Usage: murmuration cluster import ADDRESS DIR [--unsafe]
       murmuration cluster export ADDRESS DIR --key FILE [--unsafe]

import copies the run of a data directory, which no server may use meanwhile, to a NATS JetStream cluster, e.g.
nats://a,b,c. export copies it to a directory that has its corpus and no run yet, also while it is served. Both check what
they copy; receipts, tickets and the run's id stay good. docs/CLUSTER.md says more.

  --key FILE   the run's key (import takes DIR/server.key, and export puts it there)
  --unsafe     take a cluster of one server, or an old one: for a trial
`;

/** `murmuration cluster …`. Resolves to the exit code: 0, 1 where it failed, 2 for a wrong command. */
export const clusterCommand = (args: readonly string[], io: CommandIo): Promise<number> =>
  runCommand(
    {
      name: "cluster",
      usage: USAGE,
      parse,
      async run(flags) {
        io.stdout.write(`${flags.action === "import" ? await importRun(flags) : await exportRun(flags)}\n`);
      },
      exitCode: (error) => (error instanceof DirectoryError ? 2 : 1),
    },
    args,
    io,
  );

interface Parsed {
  readonly action: "import" | "export";
  readonly address: string;
  readonly directory: string;
  readonly key: string;
  readonly unsafe: boolean;
}

function parse(args: readonly string[]): Parsed | "help" {
  const { values, positionals } = readArgs(args, { key: { type: "string" }, unsafe: { type: "boolean" } });
  if (values.help) return "help";
  const [action, address, directory, ...more] = positionals;
  if (action !== "import" && action !== "export") throw new UsageError("say import or export");
  if (address === undefined || directory === undefined || more.length > 0) {
    throw new UsageError("name an address and a directory");
  }
  if (action === "export" && values.key === undefined) throw new UsageError("export needs --key FILE");
  if (action === "import" && values.key !== undefined)
    throw new UsageError("import takes the directory's own server.key");
  return {
    action,
    address,
    directory,
    key: values.key ?? join(directory, "server.key"),
    unsafe: values.unsafe ?? false,
  };
}

async function importRun({ directory, ...cluster }: Parsed): Promise<string> {
  if ((await kindOf(directory)) !== "ours") throw new DirectoryError(`${directory} holds no run`);
  const unlock = lockDirectory(directory);
  try {
    const { version, model } = await verifyDirectory(directory);
    const from = await readOnlyStore(nodeFiles(directory));
    const to = await openClusterCopy(cluster, false);
    try {
      const { records, objects } = await copyStore(from, to);
      return `${cluster.address}: version ${version}, model ${model}; ${records} records and ${objects} files copied`;
    } finally {
      await to.close();
    }
  } finally {
    unlock();
  }
}

async function exportRun({ directory, ...cluster }: Parsed): Promise<string> {
  const files = nodeFiles(directory);
  if ((await kindOf(directory)) !== "ours" || (await files.list("journal")).length > 0) {
    throw new DirectoryError(`${directory} must hold the run's corpus, and no run`);
  }
  const unlock = lockDirectory(directory);
  try {
    const from = await openClusterCopy(cluster, true);
    try {
      const to = await openFileStore(directory);
      const { records, objects } = await copyStore(from, to);
      const key = await from.get("run", "server.key");
      if (key !== undefined) await to.put("run", "server.key", key, "secret");
      await to.close();
      const { version, model } = await verifyDirectory(directory);
      return `${directory}: version ${version}, model ${model}, verified; ${records} records and ${objects} files copied`;
    } finally {
      await from.close();
    }
  } finally {
    unlock();
  }
}
