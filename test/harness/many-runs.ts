import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { messageOf } from "../../model/lib/message-of.ts";
import type { Identity } from "../../protocol/identity.ts";
import type { ServerNonce } from "../../protocol/ids.ts";
import { type Manifest, parseManifest } from "../../protocol/manifest.ts";
import { type Recipient, SERVER_NONCE_HEADER } from "../../protocol/request.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { ManyRuns } from "../../server/app/many-runs.ts";
import { openDirectory } from "../../server/app/open-directory.ts";
import { openMeters } from "../../server/app/operator.ts";
import { lobbyOf } from "../../server/app/run-summary.ts";
import { RunsOperator } from "../../server/app/runs-operator.ts";
import type { ServeOptions } from "../../server/app/serve-options.ts";
import { openThreads } from "../../server/app/threads.ts";
import { addCorpus } from "../../server/corpus/add.ts";
import { lockDirectory } from "../../server/data-dir/lock.ts";
import { Assets } from "../../server/http/assets.ts";
import { createLobby } from "../../server/http/lobby.ts";
import { type Listening, listen } from "../../server/net/listen.ts";
import { AuditLog } from "../../server/operator/audit-log.ts";
import { Sessions } from "../../server/operator/sessions.ts";
import { parseSettings } from "../../server/run/settings.ts";
import { prose } from "../corpus-fixture.ts";
import { askHost } from "./ask-host.ts";
import { HttpVolunteer } from "./http-volunteer.ts";

/** A server of several runs: two that are served, and folders that cannot be. */

export const DOMAIN = "train.example";
const SETTINGS = parseSettings({
  model: { layers: 1, heads: 1, width: 8, context: 16 },
  evaluateWindows: 1,
  ...{ batch: 1, rounds: { seconds: 0.1, batch: 1 }, steps: 1, warmupTokens: 0, quorum: 1 },
  trust: { auditShare: 0 },
});

const log = pino({ level: "silent" });
const stderr = { write: () => {} };
const now = () => performance.now();
export const overall = new Sessions(now);
const meters = openMeters();
export let directory: string;
export let runs: ManyRuns;
export let server: Listening;
let ticking: NodeJS.Timeout;

export const folder = (name: string) => join(directory, "runs", name);

/** Makes the directory with its runs, and serves it. */
export async function serveMany(): Promise<void> {
  directory = await mkdtemp(join(tmpdir(), "murmuration-many-"));
  const text = join(directory, "text.txt");
  const corpus = join(directory, "corpus");
  await writeFile(text, prose(20_000));
  await addCorpus({ files: [text], dataDir: corpus, vocabulary: 256 });
  for (const name of ["whales", "squids"]) {
    await cp(corpus, folder(name), { recursive: true });
    const begun = await openDirectory(folder(name), { settings: SETTINGS, log, stderr });
    await begun.close();
  }
  await mkdir(folder("not-made"));
  await mkdir(folder("Not a name"));
  await mkdir(folder("foreign"));
  await writeFile(join(folder("foreign"), "thesis.txt"), "x");
  await cp(folder("whales"), folder("zz-copy"), { recursive: true });
  await cp(folder("whales"), folder("damaged"), { recursive: true });
  await writeFile(join(folder("damaged"), "corpus.json"), "{");
  await cp(corpus, folder("locked"), { recursive: true });
  const unlock = lockDirectory(folder("locked"));

  const flags: ServeOptions = {
    ...{ port: 0, host: "127.0.0.1", data: directory, run: undefined, from: undefined, create: false },
    ...{ many: true, domain: DOMAIN, volunteers: 0, tls: undefined, basePath: "", proxies: 0 },
    ...{
      origins: [],
      mirror: undefined,
      cluster: undefined,
      edge: false,
      tasks: [],
      alertUrl: undefined,
      embedOn: [],
    },
  };
  runs = new ManyRuns({
    flags,
    log,
    assets: new Assets([]),
    meters,
    threads: openThreads(2),
    overall,
    stderr,
    explain: messageOf,
  });
  await runs.openAll();
  unlock();
  const auditLog = await AuditLog.open(directory);
  const operator = new RunsOperator({ directory, runs, log: auditLog, wallClock: Date.now });
  const lobby = createLobby({
    ...{ assets: new Assets([]), log, now, proxies: 0, domain: DOMAIN, sessions: overall },
    ...{ lobby: () => lobbyOf(runs.open), operator },
  });
  server = await listen(lobby, { host: "127.0.0.1", port: 0, within: runs.within, upgrades: runs.upgrades });
  ticking = setInterval(() => runs.tick(), 20);
}

/** Ends it, and removes the directory. */
export async function endMany(): Promise<void> {
  clearInterval(ticking);
  runs.endStreams();
  await server.close(0);
  await runs.close();
  meters.delay.close();
  await rm(directory, { recursive: true, force: true });
}

/** One way to reach a run: its path on the server's own name, or its host name. */
export class Way {
  readonly label: string;
  readonly run: string;
  readonly base: string;
  readonly host: string;

  constructor(run: string, by: "path" | "host") {
    this.label = `${run} by ${by}`;
    this.run = run;
    this.base = by === "path" ? `/r/${run}` : "";
    this.host = by === "path" ? DOMAIN : `${run}.${DOMAIN}`;
  }

  /** What its clients have for an address. */
  get address(): string {
    return `https://${this.host}${this.base}`;
  }

  /** Sends a request to a path of the server. */
  readonly send = (path: string, init: RequestInit = {}): Promise<Response> =>
    askHost(server.port, this.host, path, init);

  /** The same to a path of the run. */
  readonly ask = (path: string, init: RequestInit = {}) => this.send(this.base + path, init);

  async manifest(): Promise<Manifest> {
    return parseManifest(await (await this.ask(ROUTES.manifest)).json());
  }

  volunteer(identity?: Identity): Promise<HttpVolunteer> {
    return HttpVolunteer.create(this.send, this.address, identity);
  }

  /** Whom a client that came this way signs for. */
  async recipient(): Promise<Recipient> {
    const answer = await this.ask(ROUTES.manifest);
    const { run, server: key, path = "" } = parseManifest(await answer.json());
    const serverNonce = answer.headers.get(SERVER_NONCE_HEADER) as ServerNonce;
    return { run, server: key, origin: `https://${this.host}${path}`, serverNonce };
  }
}

export const ways = ["whales", "squids"].flatMap((run) => [new Way(run, "path"), new Way(run, "host")]);
export const pairs = ways.flatMap((from) =>
  ways.filter((to) => to.run !== from.run).map((to) => ({ from, to })),
);
export const lobby = new Way("whales", "path").send;

export const codeOf = async (answer: Response | Promise<Response>): Promise<string> => {
  const response = await answer;
  return response.ok ? "taken" : (await response.json()).error.code;
};
export const refusalOf = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => "taken",
    (error: { code: string }) => error.code,
  );
