import { once } from "node:events";
import type { ClusterOptions } from "../app/cluster.ts";
import { WorkerNode } from "../app/worker-node.ts";
import type { ServeIo } from "../lib/io.ts";
import { TASKS, type WorkerTask } from "../workers/tasks.ts";
import { type CommandIo, readArgs, runCommand, UsageError } from "./command.ts";
import { logLevel, openLog } from "./log.ts";
import { tasksIn } from "./tasks.ts";

const USAGE = `Usage: murmuration worker --cluster ADDRESS --key FILE [--data DIR] [--tasks LIST] [--unsafe]

Works for the server that leads a run on a NATS JetStream cluster, e.g. nats://a,b,c: it takes audits, evaluations and parts of
merges off it, and comes to the same numbers. It serves nobody and keeps nothing; any number of workers may come and go at any time.

  --data DIR    a directory with the run's corpus, which a server may use too (./data)
  --key FILE    the run's key
  --tasks LIST  what to take: audits,evaluations,merges (all)
  --unsafe      take a cluster of one server, or an old one: for a trial
`;

type WorkerIo = CommandIo & Pick<ServeIo, "signal">;

interface Working extends ClusterOptions {
  readonly data: string;
  readonly tasks: readonly WorkerTask[];
}

/** `murmuration worker …`. Works until it is stopped. Resolves to the exit code: 0, 1 where it failed, 2 for a wrong command. */
export const workerCommand = (args: readonly string[], io: WorkerIo): Promise<number> =>
  runCommand({ name: "worker", usage: USAGE, parse, run: (flags) => work(flags, io) }, args, io);

function parse(args: readonly string[]): Working | "help" {
  const text = { type: "string" } as const;
  const options = { cluster: text, key: text, data: text, tasks: text, unsafe: { type: "boolean" } } as const;
  const { values } = readArgs(args, options, false);
  if (values.help) return "help";
  const { cluster, key, data = "./data", tasks, unsafe = false } = values;
  if (cluster === undefined || key === undefined || key.trim() === "")
    throw new UsageError("worker needs --cluster ADDRESS and --key FILE");
  return { address: cluster, key, data, unsafe, tasks: tasks === undefined ? TASKS : tasksIn(tasks) };
}

async function work({ data, tasks, ...cluster }: Working, io: WorkerIo): Promise<void> {
  const log = openLog(logLevel(process.env.LOG_LEVEL), io.stderr);
  const node = await WorkerNode.open(data, cluster, { tasks, log });
  io.stdout.write(`Worker ${node.who} takes ${tasks.join(" and ")}.\n`);
  try {
    if (!io.signal.aborted) await once(io.signal, "abort");
  } finally {
    await node.close();
  }
}
