import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { createSecureContext } from "node:tls";
import { fileURLToPath } from "node:url";
import { messageOf } from "../../model/lib/message-of.ts";
import { App } from "../app/app.ts";
import { Swarm } from "../app/local-volunteers.ts";
import { type OpenDirectory, openDirectory } from "../app/open-directory.ts";
import type { ServeOptions } from "../app/serve-options.ts";
import { readStart } from "../app/start-folder.ts";
import { systemCode } from "../corpus/error.ts";
import { loadAssets } from "../http/assets.ts";
import type { ServeIo } from "../lib/io.ts";
import { parseJsonFile } from "../lib/json-file.ts";
import type { Log } from "../lib/log.ts";
import { Mirror } from "../mirror/mirror.ts";
import { openTarget } from "../mirror/open.ts";
import { type Listening, listen } from "../net/listen.ts";
import { prefixOf } from "../net/network.ts";
import { Curves } from "../operator/curves.ts";
import { issueLink, LINK_MS, linkOf, noteAddress } from "../operator/link.ts";
import type { RunOptions } from "../run/options.ts";
import type { Run } from "../run/run.ts";
import { parseSettings, type Settings } from "../run/settings.ts";
import { Deposed } from "../store/store.ts";
import { runCommand } from "./command.ts";
import { insecureWarning, linksOf, originOf, purposeLine, SetbackWatch, versionLine } from "./console.ts";
import { lineOf, StartError } from "./failure.ts";
import { parseServeFlags, SERVE_USAGE } from "./flags.ts";
import { openLog } from "./log.ts";

/** Milliseconds between two checks of the run's deadlines and leases. */
const TICK_MS = 50;
/** Milliseconds from asking the server to stop until open connections are cut. */
const GRACE_MS = 2_000;

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
  const start = flags.from === undefined ? undefined : await readStart(flags.from);
  const curves = new Curves();
  const observe: NonNullable<RunOptions["observe"]> = (event, ended) => curves.observe(event, ended);
  const { create } = flags;
  const mirror =
    flags.mirror &&
    new Mirror({
      ...{ url: flags.mirror.url, log, clock: () => performance.now() },
      target: await openTarget(flags.mirror.place, process.env),
    });
  const directory = await openDirectory(flags.data, {
    settings,
    log,
    stderr: io.stderr,
    observe,
    mirror,
    cluster: flags.cluster,
    start,
    create,
  });
  const app = new App(flags, log, curves, await loadAssets(clientDirectory()));
  try {
    await app.move(directory);
    const server = await openListeners(app, flags, tls, log);
    try {
      const endpoint = { host: flags.host, port: server.port, tls: tls !== undefined, path: flags.basePath };
      await greet(endpoint, flags, directory, io);
      const stopped = abortOf(io.signal);
      const run = directory.run ?? (await Promise.race([app.runCreated, stopped]));
      if (run !== undefined) await attend(run, mirror, server.local, flags.volunteers, io, stopped);
    } finally {
      app.closing.abort();
      await server.close();
    }
  } finally {
    await app.close();
    await directory.close();
  }
}

/** The sockets, and how volunteers on this machine reach them. */
async function openListeners(
  app: App,
  flags: ServeOptions,
  tls: Tls | undefined,
  log: Log,
): Promise<{ port: number; local: string; close(): Promise<void> }> {
  const { host, port } = flags;
  const open: Listening[] = [];
  const add = async (where: Parameters<typeof listen>[1]) => {
    const { onSocket, upgrades } = app;
    // Behind a proxy every connection comes from the proxy.
    const networkOf = (socket: Socket) =>
      flags.proxies > 0 ? undefined : prefixOf(socket.remoteAddress ?? "");
    const { basePath } = flags;
    const listening = await listen(app, { ...where, basePath, onSocket, upgrades, networkOf, log });
    open.push(listening);
    return listening.port;
  };
  const taken = await add({ host, port, ...(tls && { tls }) });
  // A certificate seldom names this machine's loopback address, so our own volunteers get plain HTTP there.
  const inside = tls && flags.volunteers > 0 ? await add({ host: "127.0.0.1", port: 0 }) : undefined;
  return {
    port: taken,
    local: originOf(
      inside === undefined
        ? { host, port: taken, tls: false }
        : { host: "127.0.0.1", port: inside, tls: false },
    ),
    close: async () => {
      await Promise.all(open.map((listening) => listening.close(GRACE_MS)));
    },
  };
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

const abortOf = (signal: AbortSignal): Promise<undefined> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener("abort", () => resolve(undefined));
  });

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

/** The built pages: dist/client, whether this file is the source or its build in dist/node/server/cli/. */
function clientDirectory(): string {
  const built = import.meta.url.endsWith(".js");
  return fileURLToPath(new URL(built ? "../../../client" : "../../dist/client", import.meta.url));
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

interface Tls {
  readonly cert: string;
  readonly key: string;
}

/** Reads a certificate and its key, and tries them: a server that cannot use them should not first make a corpus. */
async function readTls(files: Tls): Promise<Tls> {
  const pem = { cert: await readPem("--tls-cert", files.cert), key: await readPem("--tls-key", files.key) };
  try {
    createSecureContext(pem);
    return pem;
  } catch (error) {
    const why = messageOf(error);
    throw new StartError(
      `the certificate ${files.cert} and the key ${files.key} cannot be used: ${why}. Both must be PEM, the key ` +
        "without a passphrase and the certificate's own",
    );
  }
}

function readPem(flag: string, file: string): Promise<string> {
  return readFile(file, "utf8").catch((error: unknown) => {
    throw new StartError(`${flag}: ${lineOf(error)}`);
  });
}

const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

/** LOG_LEVEL's value; the default where it is unset or empty, as a line of an .env file without a value leaves it. */
export function logLevel(text: string | undefined): (typeof LOG_LEVELS)[number] {
  const wanted = text?.trim().toLowerCase() || "warn";
  const level = LOG_LEVELS.find((one) => one === wanted);
  if (level !== undefined) return level;
  throw new StartError(`LOG_LEVEL is ${JSON.stringify(text)}, and must be one of ${LOG_LEVELS.join(", ")}`);
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
