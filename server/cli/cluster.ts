import { join } from "node:path";
import { checkOnCluster, openClusterCopy } from "../app/cluster.ts";
import { lookAtCluster } from "../app/cluster-look.ts";
import { DirectoryError } from "../data-dir/error.ts";
import { lockDirectory } from "../data-dir/lock.ts";
import { requireRun } from "../data-dir/runs.ts";
import { linesOf } from "../store/cluster-status.ts";
import { copyStore } from "../store/copy-store.ts";
import { nodeFiles } from "../store/node-files.ts";
import { readOnlyStore } from "../store/read-only.ts";
import { StoreError } from "../store/store.ts";
import { requireSynced } from "../store/synced-cluster.ts";
import { type CommandIo, readArgs, runCommand, UsageError } from "./command.ts";
import { monitorsOf } from "./monitor-flag.ts";
import { verifyDirectory } from "./verify.ts";

const USAGE = `Usage: murmuration cluster import ADDRESS DIR [--monitor PLACES] [--unsafe]
       murmuration cluster status ADDRESS --key FILE [--monitor PLACES] [--unsafe]
       murmuration cluster check ADDRESS --key FILE

import copies the run of a data directory, which no server may use meanwhile, to a NATS JetStream cluster, e.g.
nats://a,b,c, after checking it; receipts, tickets and the run's id stay good. \`murmuration archive\` is the way back. status
says who serves the run and how its streams do. check reads all of the run on every node, and says which one's disk has
lost something. The exit code of both is 1 where something is wrong. docs/CLUSTER.md says more.

  --key FILE         the run's key (import takes DIR/server.key)
  --monitor PLACES   ask the nodes' monitoring ports here whether they sync what they acknowledge, e.g.
                     a:8222,b:8222,c:8222 (port 8222 of each server of ADDRESS)
  --unsafe           take a cluster of one server, an old one, or one that does not sync: for a trial
`;

/** `murmuration cluster …`. Resolves to the exit code: 0, 1 where it failed, 2 for a wrong command. */
export const clusterCommand = (args: readonly string[], io: CommandIo): Promise<number> =>
  runCommand(
    {
      name: "cluster",
      usage: USAGE,
      parse,
      async run(flags) {
        if (flags.action !== "import")
          return flags.action === "status" ? showStatus(flags, io) : showCheck(flags, io);
        io.stdout.write(`${await importRun(flags, io)}\n`);
      },
      exitCode: (error) => (error instanceof DirectoryError ? 2 : 1),
    },
    args,
    io,
  );

interface Copying {
  readonly action: "import";
  readonly address: string;
  readonly directory: string;
  readonly key: string;
  readonly unsafe: boolean;
  readonly monitors: readonly string[] | undefined;
}

interface Asking {
  readonly action: "status" | "check";
  readonly address: string;
  readonly key: string;
  readonly unsafe: boolean;
  readonly monitors: readonly string[] | undefined;
}

function parse(args: readonly string[]): Copying | Asking | "help" {
  const text = { type: "string" } as const;
  const options = { key: text, monitor: text, unsafe: { type: "boolean" } } as const;
  const { values, positionals } = readArgs(args, options);
  if (values.help) return "help";
  const [action, address, directory, ...more] = positionals;
  const { key, unsafe = false } = values;
  const monitors = monitorsOf(values.monitor);
  if (action === "export") throw new UsageError("`murmuration archive` does that");
  if (action !== "import" && action !== "status" && action !== "check")
    throw new UsageError("say import, status or check");
  if (action !== "import") {
    if (key === undefined) throw new UsageError(`${action} needs --key FILE`);
    if (address === undefined || directory !== undefined) throw new UsageError("name an address");
    return { action, address, key, unsafe, monitors };
  }
  if (address === undefined || directory === undefined || more.length > 0) {
    throw new UsageError("name an address and a directory");
  }
  if (key !== undefined) throw new UsageError("import takes the directory's own server.key");
  return { action, address, directory, key: join(directory, "server.key"), unsafe, monitors };
}

async function showStatus(asked: Asking, io: CommandIo): Promise<void> {
  const { status, nodes, faults } = await lookAtCluster(asked);
  for (const line of status === undefined ? [] : linesOf(status)) io.stdout.write(`${line}\n`);
  if (nodes !== undefined && nodes.synced.length > 0)
    io.stdout.write(`  writes are synced on ${nodes.synced.join(", ")}\n`);
  if (faults.length > 0) throw new StoreError(faults.map(({ line }) => line).join("\n"));
}

async function showCheck({ address, key }: Asking, io: CommandIo): Promise<void> {
  const checks = await checkOnCluster(address, key);
  if (checks.length === 0) throw new StoreError("the cluster has no run of this key");
  for (const { stream, messages, faults } of checks) {
    const found = faults.length === 0 ? ", all of them on every node" : "";
    io.stdout.write(`${stream}: ${messages} messages${found}\n`);
  }
  const faults = checks.flatMap((check) => check.faults);
  if (faults.length > 0) throw new StoreError(faults.join("\n"));
}

async function importRun({ directory, ...cluster }: Copying, io: CommandIo): Promise<string> {
  await requireRun(directory);
  const unlock = lockDirectory(directory);
  try {
    await requireSynced(cluster, (line) => io.stderr.write(`murmuration cluster: ${line}\n`));
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
