import { availableParallelism } from "node:os";
import type { Logger } from "pino";
import { runPath } from "../../protocol/run-name.ts";
import { ManyRuns } from "../app/many-runs.ts";
import { openMeters } from "../app/operator.ts";
import { lobbyOf } from "../app/run-summary.ts";
import { RunsOperator } from "../app/runs-operator.ts";
import type { ServeOptions } from "../app/serve-options.ts";
import { openThreads } from "../app/threads.ts";
import { requireWritable } from "../data-dir/directory.ts";
import { lockDirectory } from "../data-dir/lock.ts";
import {
  finishDeletions,
  hasUnservedRuns,
  holdsRuns,
  makeRunsFolder,
  runDirectory,
} from "../data-dir/runs.ts";
import { loadAssets } from "../http/assets.ts";
import { createLobby } from "../http/lobby.ts";
import type { ServeIo, Writer } from "../lib/io.ts";
import { AuditLog } from "../operator/audit-log.ts";
import { issueLink, LINK_MS, linkOf, noteAddress } from "../operator/link.ts";
import { Sessions } from "../operator/sessions.ts";
import type { Run } from "../run/run.ts";
import { insecureWarning, originOf, versionLine } from "./console.ts";
import { lineOf, StartError } from "./failure.ts";
import { abortOf, clientDirectory, openListeners, TICK_MS, type Tls } from "./listeners.ts";

/** Whether `serve` is to serve several runs. Throws a DirectoryError, or a StartError for flags of one run. */
export async function isForMany(flags: ServeOptions, stderr: Writer): Promise<boolean> {
  const { data } = flags;
  const many = flags.many || (await holdsRuns(data));
  if (many) requireFlagsOfMany(flags);
  else if (flags.domain !== undefined)
    throw new StartError("--domain is for a server of several runs: see --many");
  if (!many && (await hasUnservedRuns(data))) {
    stderr.write(
      `${data} has a run of its own, which is served; those in ${data}/runs are not. To serve all of them, move this one ` +
        "to be one of them.\n",
    );
  }
  return many;
}

function requireFlagsOfMany({ run, from, volunteers, mirror, cluster }: ServeOptions): void {
  const ofOne = { run, from, mirror, cluster, volunteers: volunteers > 0 || undefined };
  const given = Object.entries(ofOne).find(([, value]) => value !== undefined)?.[0];
  if (given === undefined) return;
  throw new StartError(`--${given} is for a server of one run, and this directory is for several`);
}

/** Serves the runs of a directory until `io.signal` aborts. */
export async function serveMany(
  flags: ServeOptions,
  tls: Tls | undefined,
  log: Logger,
  io: ServeIo,
): Promise<void> {
  if (!(await holdsRuns(flags.data))) await makeRunsFolder(flags.data);
  await requireWritable(flags.data);
  const unlock = lockDirectory(flags.data);
  const meters = openMeters();
  const now = () => performance.now();
  const assets = await loadAssets(clientDirectory());
  const sessions = new Sessions(now);
  const runs = new ManyRuns({
    ...{ flags, log, assets, meters, overall: sessions, stderr: io.stderr, explain: lineOf },
    threads: openThreads(availableParallelism()),
    begun: (name, run) => tell(name, run, io.stdout),
  });
  try {
    await finishDeletions(flags.data);
    await runs.openAll();
    const operator = new RunsOperator({
      ...{ directory: flags.data, runs, wallClock: Date.now },
      log: await AuditLog.open(flags.data),
    });
    const lobby = createLobby({
      ...{ assets, log, now, proxies: flags.proxies, domain: flags.domain, operator, sessions },
      lobby: () => lobbyOf(runs.open),
    });
    const sockets = { within: runs.within, upgrades: runs.upgrades, meters };
    const server = await openListeners(lobby, sockets, flags, tls, log);
    const ticking = setInterval(() => runs.tick(), TICK_MS);
    try {
      await greet(
        {
          ...{ host: flags.host, port: server.port, tls: tls !== undefined },
          ...{ path: flags.basePath, named: flags.origins[0] },
        },
        flags,
        runs,
        io,
      );
      await abortOf(io.signal);
    } finally {
      clearInterval(ticking);
      runs.endStreams();
      await server.close();
    }
  } finally {
    await runs.close();
    meters.delay.close();
    unlock();
  }
}

async function greet(
  endpoint: Parameters<typeof originOf>[0],
  { data, proxies }: ServeOptions,
  runs: ManyRuns,
  io: ServeIo,
): Promise<void> {
  const warning = insecureWarning(endpoint, proxies > 0);
  if (warning !== undefined) io.stderr.write(warning);
  const origin = originOf(endpoint);
  await noteAddress(data, origin);
  const link = linkOf(origin, await issueLink(data, "operator", Date.now()));
  const lines = [
    `The runs of ${data}: ${origin}/`,
    `  operator  ${link}  (signs in once, within ${LINK_MS / 60_000} minutes)`,
  ];
  for (const { name, run } of runs.open) {
    const what = run === undefined ? "not made yet" : `${run.status().name}: version ${run.status().version}`;
    await noteAddress(runDirectory(data, name), origin + runPath(name));
    lines.push(`  ${name}  ${origin}${runPath(name)}/  ${what}`);
  }
  io.stdout.write(`${lines.join("\n")}\n`);
  for (const [name, why] of runs.failed) io.stderr.write(`${name} is not served: ${why}\n`);
}

/** Says what becomes of a run, as a server of one does, with its name before it. */
function tell(name: string, run: Run, stdout: Writer): void {
  run.subscribe((event) => {
    if (event.type === "version") stdout.write(`${name}: ${versionLine(event, run.status())}\n`);
    if (event.type === "state" && event.state === "finished") stdout.write(`${name} is finished.\n`);
  });
}
