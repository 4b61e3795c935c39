import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { text } from "node:stream/consumers";
import { build, type Plugin } from "vite";
import type { Report } from "../../client/worker/messages.ts";
import type { TextState } from "../../protocol/added-text.ts";
import type { RunEvent } from "../../protocol/events.ts";
import type { DeltaProof } from "../../protocol/history.ts";
import type { TicketId } from "../../protocol/ids.ts";
import { LOBBY_ROUTES, type Lobby, type OperatorRuns } from "../../protocol/lobby.ts";
import { OPERATOR_ROUTES, type Overview } from "../../protocol/operator.ts";
import type { Leader } from "../../protocol/people.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { SETUP_ROUTES, type SetupState } from "../../protocol/setup.ts";
import type { RunStatus } from "../../protocol/status.ts";
import type { TeamSum } from "../../protocol/team.ts";
import { EXAMPLE_ESTIMATE, exampleOverview } from "./example-operator.ts";
import { EXAMPLE_PAGE, EXAMPLE_PERSON, EXAMPLE_TEAM } from "./example-people.ts";
import { exampleLobby, exampleRuns } from "./example-runs.ts";
import { trainingScript } from "./example-script.ts";
import { EXAMPLE_SPEEDS } from "./example-speeds.ts";
import { exampleStatus } from "./example-status.ts";

/**
 * The built pages behind a server that says whatever a test wants, and a Worker that follows a script: every
 * state of a page, at once, without a run.
 */
export interface FakeSite {
  readonly origin: string;
  /** What `GET /api/run` answers: a status, another body with its HTTP status, or nothing at all. */
  status: RunStatus | { readonly http: number; readonly body: unknown } | "away";
  /** What the Worker says after `start`. */
  script: readonly Report[];
  /** Paths asked for, in order. */
  readonly asked: string[];
  /** Proofs by ticket. */
  readonly proofs: Map<string, DeltaProof>;
  /** Who has a name. */
  leaders: readonly Leader[];
  teams: readonly TeamSum[];
  /** What the operator's page is told; undefined while nobody is signed in. */
  overview: Overview | undefined;
  /** What the operator of a server without a run is told; undefined where there is a run. */
  setup: SetupState | undefined;
  /** What the operator of a run is told about text that was added; undefined for one who is told nothing. */
  texts: TextState | undefined;
  /** What a server of several runs says of them. */
  lobby: Lobby;
  runs: OperatorRuns;
  /** What the operator did, in order. */
  readonly done: unknown[];
  /** What `/host` answers: another site's page. */
  hostPage: string;
  emit(event: RunEvent): void;
  close(): Promise<void>;
}

/** What docs/OPERATIONS asks of every server: no inline script or style anywhere. */
export const CSP =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'; " +
  "img-src 'self' data:; worker-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'";

/** The path of a Worker's script: the bundler names it by its module and eight characters of its hash. */
export const WORKER = /\/assets\/worker-[\w-]{8}\.js$/;

const root = join(import.meta.dirname, "../..");

/** Builds pages and loader into a directory of their own, with the scripted Worker. Returns it. */
export async function buildPages(): Promise<string> {
  const outDir = await mkdtemp(join(tmpdir(), "murmuration-pages-"));
  const scripted: Plugin = {
    name: "scripted-worker",
    enforce: "pre",
    resolveId: (id) =>
      id.endsWith("client/worker/worker.ts")
        ? join(import.meta.dirname, "scripted-worker.ts")
        : id.endsWith("client/writer/worker.ts")
          ? join(import.meta.dirname, "scripted-writer.ts")
          : null,
  };
  for (const config of ["vite.config.ts", "vite.lobby.config.ts", "vite.embed.config.ts"]) {
    const configFile = join(root, config);
    await build({
      configFile,
      logLevel: "error",
      build: { outDir },
      worker: { plugins: () => [scripted] },
    });
  }
  return outDir;
}

export const removePages = (dir: string) => rm(dir, { recursive: true });

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};
const PAGES: Record<string, string> = {
  "/": "index",
  "/status": "status",
  "/operator": "operator",
  "/frame": "frame",
  "/norun": "norun",
  "/lobby": "lobby",
  "/person": "person",
  "/runs": "runs",
  "/playground": "playground",
  "/bench": "bench",
  "/how": "how",
};

/** Serves `dir` on a free port of 127.0.0.1. */
export async function serveSite(dir: string, hostPage = ""): Promise<FakeSite> {
  const streams = new Set<ServerResponse>();
  const server = createServer((request, response) => void answer(request, response));

  async function answer(request: IncomingMessage, response: ServerResponse) {
    // One of several runs has the same below a path of its own.
    const pathname = new URL(request.url ?? "/", "http://site").pathname.replace(/^\/r\/[a-z]+(?=\/)/, "");
    site.asked.push(pathname);
    if (pathname === "/api/run") return run(response);
    if (pathname === "/api/events") return events(response);
    if (pathname === LOBBY_ROUTES.runs) return reply(response, 200, ".json", JSON.stringify(site.lobby));
    if (pathname.startsWith(ROUTES.proof("" as TicketId))) {
      const proof = site.proofs.get(pathname.slice(ROUTES.proof("" as TicketId).length)) ?? null;
      return reply(response, 200, ".json", JSON.stringify({ proof }));
    }
    if (pathname === ROUTES.speeds && request.method === "POST") {
      site.done.push(JSON.parse(await text(request)));
      return reply(response, 200, ".json", "{}");
    }
    if (pathname === ROUTES.speeds)
      return reply(response, 200, ".json", JSON.stringify({ taken: true, rows: EXAMPLE_SPEEDS }));
    if (pathname === ROUTES.leaders)
      return reply(response, 200, ".json", JSON.stringify({ leaders: site.leaders }));
    if (pathname === ROUTES.teams)
      return reply(response, 200, ".json", JSON.stringify({ teams: site.teams }));
    if (pathname === ROUTES.team(EXAMPLE_TEAM.id))
      return reply(response, 200, ".json", JSON.stringify(EXAMPLE_TEAM));
    if (pathname === ROUTES.person(EXAMPLE_PAGE))
      return reply(response, 200, ".json", JSON.stringify(EXAMPLE_PERSON));
    if (pathname.startsWith(OPERATOR_ROUTES.all)) return operator(pathname, request, response);
    if (pathname === "/host") return reply(response, 200, ".html", site.hostPage, false);
    if (pathname === "/script") return reply(response, 200, ".json", JSON.stringify(site.script));
    const page = PAGES[pathname];
    const file = join(dir, normalize(page === undefined ? pathname : `${page}.html`));
    try {
      reply(response, 200, extname(file), await readFile(file));
    } catch {
      reply(response, 404, ".html", "not found");
    }
  }

  function reply(response: ServerResponse, code: number, type: string, body: string | Buffer, strict = true) {
    const headers = { "content-type": TYPES[type] ?? "application/octet-stream" };
    response.writeHead(code, strict ? { ...headers, "content-security-policy": CSP } : headers).end(body);
  }

  function run(response: ServerResponse) {
    const { status } = site;
    if (status === "away") {
      response.destroy();
      return;
    }
    const [code, body] = "http" in status ? [status.http, status.body] : [200, status];
    response.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(body));
  }

  async function operator(pathname: string, request: IncomingMessage, response: ServerResponse) {
    const body = request.method === "POST" ? JSON.parse(await text(request)) : undefined;
    if (pathname === OPERATOR_ROUTES.signIn)
      site.overview = body.link === "good" ? exampleOverview() : undefined;
    if (pathname === OPERATOR_ROUTES.signOut) site.overview = undefined;
    const error = { code: "not-signed-in", message: "sign in with a link from the server" };
    if (site.overview === undefined) return reply(response, 401, ".json", JSON.stringify({ error }));
    if (site.setup !== undefined) return setUp(site.setup, pathname, response);
    if (pathname === OPERATOR_ROUTES.act) site.done.push(body);
    if (pathname === SETUP_ROUTES.state)
      return reply(response, 200, ".json", JSON.stringify(site.texts ?? site.overview));
    if (pathname === LOBBY_ROUTES.operatorRuns) {
      if (body !== undefined) site.done.push(body);
      return reply(response, 200, ".json", JSON.stringify(site.runs));
    }
    reply(response, 200, ".json", JSON.stringify(site.overview));
  }

  function setUp(state: SetupState, pathname: string, response: ServerResponse) {
    const noRun = { error: { code: "no-run", message: "this server has no run yet" } };
    if (pathname === OPERATOR_ROUTES.overview) return reply(response, 503, ".json", JSON.stringify(noRun));
    const answers: Record<string, object | null> = {
      [SETUP_ROUTES.estimate]: EXAMPLE_ESTIMATE,
      [SETUP_ROUTES.text]: state.upload,
    };
    const answer = answers[pathname] ?? state;
    reply(response, 200, ".json", JSON.stringify(answer));
  }

  function events(response: ServerResponse) {
    if (typeof site.status === "string" || "http" in site.status) {
      response.destroy();
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    streams.add(response);
    response.on("close", () => streams.delete(response));
    const { version, modelHash, state } = site.status;
    write(response, { type: "hello", version, hash: modelHash, state });
  }

  const write = (response: ServerResponse, event: RunEvent) =>
    response.write(`data: ${JSON.stringify(event)}\n\n`);

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const site: FakeSite = {
    origin: `http://127.0.0.1:${port}`,
    status: exampleStatus(),
    script: trainingScript(),
    asked: [],
    proofs: new Map(),
    leaders: [
      { name: "Starling", tokens: 1_204_224, recent: 204_800 },
      { name: "Ann of the Reeds", tokens: 76_800, recent: 20_480 },
      { name: "星", tokens: 5_120, recent: 0 },
    ],
    teams: [EXAMPLE_TEAM],
    overview: undefined,
    setup: undefined,
    texts: undefined,
    lobby: exampleLobby(),
    runs: exampleRuns(),
    done: [],
    hostPage,
    emit(event) {
      for (const response of streams) write(response, event);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return site;
}

/** Another site's page that names the loader of `origin` in a script tag. */
export const hostPage = (
  origin: string,
  attributes = "",
) => `<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>A blog</title><body><main><h1>A blog about whales</h1><p>Some text before.</p>
<script defer src="${origin}/embed.js" data-label="Help train our reader" data-share="0.4" ${attributes}></script>
<p>Some text after.</p></main></body></html>`;
