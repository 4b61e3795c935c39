import { readFile } from "node:fs/promises";
import { systemCode } from "../../model/lib/system-code.ts";
import { App } from "../app/app.ts";
import { Swarm } from "../app/local-volunteers.ts";
import { type OpenDirectory, openDirectory } from "../app/open-directory.ts";
import { openMeters } from "../app/operator.ts";
import type { ServeOptions } from "../app/serve-options.ts";
import { readStart } from "../app/start-folder.ts";
import { loadAssets } from "../http/assets.ts";
import type { ServeIo } from "../lib/io.ts";
import { parseJsonFile } from "../lib/json-file.ts";
import { Mirror } from "../mirror/mirror.ts";
import { openTarget } from "../mirror/open.ts";
import { Curves } from "../operator/curves.ts";
import { issueLink, LINK_MS, linkOf, noteAddress } from "../operator/link.ts";
import { Webhook } from "../operator/webhook.ts";
import type { RunOptions } from "../run/options.ts";
import type { Run } from "../run/run.ts";
import { parseSettings, type Settings } from "../run/settings.ts";
import { Deposed } from "../store/store.ts";
import type { ClusterSeat, SeatParts } from "./cluster-seat.ts";
import { runCommand } from "./command.ts";
import { insecureWarning, linksOf, originOf, purposeLine, SetbackWatch, versionLine } from "./console.ts";
import { lineOf, StartError } from "./failure.ts";
import { parseServeFlags, SERVE_USAGE } from "./flags.ts";
import { abortOf, clientDirectory, openListeners, readTls, TICK_MS } from "./listeners.ts";
import { logLevel, openLog } from "./log.ts";
import { isForMany, serveMany } from "./many.ts";

/**
 * `murmuration serve …`: `args` is what follows `serve`. Serves until `io.signal` aborts. Resolves to the exit
 * code: 0 after a stop, 1 for a server that could not start (stderr says why), 2 for a command that does not
 * make sense.
 */
export const serveCommand = (args: readonly string[], io: ServeIo): Promise<number> =>
  runCommand(
    {
      name: "serve",
      usage: SERVE_USAGE,
      parse: parseServeFlags,
      run: (flags) => serve(flags, io),
      explain,
    },
    args,
    io,
  );

async function serve(flags: ServeOptions, io: ServeIo): Promise<void> {
  const settings = flags.run === undefined ? undefined : await readRunFile(flags.run);
  const tls = flags.tls && (await readTls(flags.tls));
  const log = openLog(logLevel(process.env.LOG_LEVEL), io.stderr);
  if (await isForMany(flags, io.stderr)) return serveMany(flags, tls, log, io);
  const { from } = flags;
  const start = from === undefined ? undefined : () => readStart(from);
  const curves = new Curves();
  const observe: NonNullable<RunOptions["observe"]> = (event, ended) => curves.observe(event, ended);
  const { create } = flags;
  const mirror =
    flags.mirror &&
    new Mirror({
      ...{ url: flags.mirror.url, log, clock: () => performance.now() },
      target: await openTarget(flags.mirror.place, process.env),
    });
  const meters = openMeters();
  const app = new App(flags, log, { curves, meters, assets: await loadAssets(clientDirectory()) });
  const open = () => openListeners(app, { upgrades: app.upgrades, meters }, flags, tls, log);
  // On a cluster the port is open before anybody knows who leads: a balancer sees what this server is by then.
  let server = flags.cluster && (await open());
  let directory: OpenDirectory | undefined;
  try {
    const endpointAt = (port: number) => ({
      ...{ host: flags.host, port, path: flags.basePath },
      tls: tls !== undefined,
    });
    const origin = originOf(endpointAt(server?.port ?? 0));
    const seat = flags.cluster && (await seatOn(flags.cluster, flags, { app, log, io, origin, mirror }));
    if (flags.edge) return await seat?.stayEdge();
    await seat?.requireSynced(); // before a first start makes a corpus, which takes a while and stays
    directory = await openDirectory(flags.data, {
      ...{ settings, log, observe, mirror, start, create },
      ...{ stderr: io.stderr, openStore: seat?.openStore, jobs: seat?.jobs, known: seat?.known },
    }).catch((error: unknown) => {
      if (!io.signal.aborted) throw error;
      return undefined;
    });
    if (directory === undefined) return; // stopped while another server led the run
    await app.move(directory);
    if (directory.run !== undefined) seat?.lead(directory.run); // at once: volunteers wait at the edges
    server ??= await open();
    await greet({ ...endpointAt(server.port), named: flags.origins[0] }, flags, directory, io);
    const stopped = abortOf(io.signal);
    const run = directory.run ?? (await Promise.race([app.runCreated, stopped]));
    if (run === undefined) return;
    if (directory.run === undefined) seat?.lead(run);
    await attend(run, mirror, server.local, flags.volunteers, io, stopped);
  } finally {
    app.closing.abort();
    await server?.close();
    await app.close();
    await directory?.close();
    meters.delay.close();
  }
}

/** What follows a cluster is loaded by who has one. */
async function seatOn(
  cluster: NonNullable<ServeOptions["cluster"]>,
  { data, tasks, alertUrl }: ServeOptions,
  parts: Omit<SeatParts, "tasks" | "watch">,
): Promise<ClusterSeat> {
  const { ClusterSeat } = await import("./cluster-seat.ts");
  const { EdgeWatch } = await import("../app/edge-watch.ts");
  const watch =
    alertUrl && new EdgeWatch({ webhook: new Webhook(alertUrl, parts.log), now: () => performance.now() });
  return new ClusterSeat(cluster, data, { ...parts, tasks, watch });
}

async function greet(
  endpoint: Parameters<typeof linksOf>[0],
  flags: ServeOptions,
  { run, corpus }: OpenDirectory,
  io: ServeIo,
): Promise<void> {
  const warning = insecureWarning(endpoint, flags.proxies > 0);
  if (warning !== undefined) io.stderr.write(warning);
  const origin = originOf(endpoint);
  if (corpus === undefined) {
    io.stdout.write(
      `${flags.data} holds other files and no run; this page says how to make one: ${origin}/\n`,
    );
    return;
  }
  await noteAddress(flags.data, origin);
  const link = linkOf(origin, await issueLink(flags.data, "operator", Date.now()));
  if (run === undefined) {
    io.stdout.write(
      `There is no run in ${flags.data} yet. Make one here: ${link}  (signs in once, within ${LINK_MS / 60_000} minutes)\n`,
    );
    return;
  }
  const { name, card, version, parameters } = run.status();
  const title = `${name}: version ${version}, ${parameters.toLocaleString("en")} parameters\n`;
  io.stdout.write(`${title}${linksOf(endpoint, link)}${purposeLine(card) ?? ""}`);
}

/** Keeps the run going until the operator stops it. */
async function attend(
  run: Run,
  mirror: Mirror | undefined,
  origin: string,
  volunteers: number,
  io: ServeIo,
  stopped: Promise<undefined>,
): Promise<void> {
  const say = (line: string) => io.stdout.write(`${line}\n`);
  const setbacks = new SetbackWatch();
  const unsubscribe = run.subscribe((event) => {
    if (event.type === "version") say(versionLine(event, run.status()));
    const warning = event.type === "evaluation" ? setbacks.line(run.status()) : undefined;
    if (warning !== undefined) say(warning);
    if (event.type === "state" && event.state === "finished") say("The run is finished.");
  });
  const ticking = setInterval(() => {
    run.tick();
    mirror?.tick();
  }, TICK_MS);
  const [program, ...script] = io.program;
  const swarm = new Swarm({ command: [program, ...script, "volunteer", origin], count: volunteers, say });
  await Promise.race([stopped, abortOf(run.deposed)]);
  clearInterval(ticking);
  unsubscribe();
  await swarm.stop();
  if (run.deposed.aborted) throw new Deposed();
}

async function readRunFile(file: string): Promise<Settings> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new StartError(`--run ${file}: ${lineOf(error)}`);
  });
  try {
    return parseSettings(parseJsonFile(bytes));
  } catch (error) {
    const why = error instanceof SyntaxError ? `not JSON (${error.message})` : lineOf(error);
    throw new StartError(`${file}: ${why}`);
  }
}

/** Of a socket that could not be opened: what to choose instead. */
function explain(error: unknown, { host, port }: { host: string; port: number }): string {
  const code = systemCode(error) ?? "";
  if (
    !(error instanceof Error && "syscall" in error) ||
    !/^(?:listen|getaddrinfo|bind)$/.test(`${error.syscall}`)
  )
    return lineOf(error);
  switch (code) {
    case "EADDRINUSE":
      return `the port is in use (${host}, ${port}): choose another with --port, or 0 for any that is free`;
    case "EACCES":
    case "EPERM":
      return `port ${port} needs more rights: choose one above 1023`;
    default:
      return (
        `--host ${host} is no address of this machine (${code}): 127.0.0.1 is for this machine alone, 0.0.0.0 for ` +
        "all its addresses, and one that begins with fe80: needs its interface, as in fe80::1%eth0"
      );
  }
}
