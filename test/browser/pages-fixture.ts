import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { text } from "node:stream/consumers";
import { build, type Plugin } from "vite";
import type { Phase, Report } from "../../client/worker/messages.ts";
import type { TextState } from "../../protocol/added-text.ts";
import type { RunEvent } from "../../protocol/events.ts";
import type { DeltaProof } from "../../protocol/history.ts";
import type { Hash, PersonId, RunId, TeamId, TicketId, VolunteerKey } from "../../protocol/ids.ts";
import { LOBBY_ROUTES, type Lobby, type OperatorRuns } from "../../protocol/lobby.ts";
import { OPERATOR_ROUTES, type Overview } from "../../protocol/operator.ts";
import type { Leader } from "../../protocol/people.ts";
import type { Person } from "../../protocol/person.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { type Estimate, SETUP_ROUTES, type SetupState } from "../../protocol/setup.ts";
import type { RunStatus } from "../../protocol/status.ts";
import type { Team, TeamSum } from "../../protocol/team.ts";
import { exampleLobby, exampleRuns } from "./example-runs.ts";
import { EXAMPLE_SPEEDS } from "./example-speeds.ts";
import { EXAMPLE_VOLUNTEERS } from "./example-volunteers.ts";

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

export const hashOf = (digit: string) => digit.repeat(64) as Hash; // an example needs no real hash
export const EXAMPLE_PAGE = "A".repeat(22) as PersonId;
export const EXAMPLE_TEAM: Team = {
  id: "cmVlZC1iaXJkcy10ZWFtLQ" as TeamId,
  ...{ name: "Reed birds", tokens: 81_920, recent: 20_480, members: 3 },
  people: [
    { name: "Ann of the Reeds", tokens: 76_800, page: EXAMPLE_PAGE },
    { name: "星", tokens: 5_120 },
  ],
};
const EXAMPLE_PERSON: Person = {
  ...{ name: "Ann of the Reeds", tokens: 12_345_678, recent: 123_456, merged: 1_204, keys: 2 },
  deltas: [8, 7, 5].map((version) => ({
    ticket: `${version}`.padEnd(22, "A") as TicketId,
    volunteer: "k".repeat(42).concat("A") as VolunteerKey,
    ...{ delta: hashOf(String(version)), version: 1_000 + version, tokens: 5_120 },
  })),
};
const RUN = hashOf("9") as string as RunId;
const TICKET = "t".repeat(22) as TicketId;
const KEY = "k".repeat(43) as VolunteerKey;

/** What the tiny preset costs. */
const EXAMPLE_ESTIMATE: Estimate = {
  parameters: 285_312,
  snapshotBytes: 1_144_456,
  deltaBytes: 151_612,
  diffBytes: 151_612,
  flopsPerToken: 1_783_296,
  ticketTokens: [1_536, 15_360],
  diskBytes: 49_687_232,
  tokenBudget: 20_000_000,
  learningRate: 0.00313,
};

/** A server whose run is yet to be made. */
export function exampleSetup(overrides: Partial<SetupState> = {}): SetupState {
  const none = { upload: null, corpus: null, work: null, failed: null };
  return { operator: "Ann", maxBytes: 4 * 1024 ** 3, freeBytes: 81_400_000_000, ...none, ...overrides };
}

/** A run in full swing. */
export function exampleStatus(overrides: Partial<RunStatus> = {}): RunStatus {
  const heldOut = Array.from({ length: 41 }, (_, i) => ({
    version: i * 4,
    tokens: i * 4 * 20_480,
    right: Math.round(68 - 48 * Math.exp(-i / 12) + 3 * Math.sin(i * 1.7) - 5),
    loss: 3.1 + 3.14 * Math.exp(-i / 7) + 0.03 * Math.sin(i * 2.1),
  }));
  return {
    protocol: 2,
    run: RUN,
    name: "Moby Dick, nightly",
    operator: "The Reading Room, reading-room.example",
    card: {
      purpose: "A small model that reads and writes like the sea, for a school’s lessons on language.",
      description:
        "Every class trains it for a week, and looks at what it learnt.\n\nIn June it goes on show in the town’s library.",
      who: "The Reading Room, a library’s club",
      contact: "mailto:room@reading-room.example",
      link: "https://reading-room.example/whales",
      language: "en",
      textSource: "Herman Melville, Moby-Dick (1851), from Project Gutenberg",
      textLicence: "public domain",
      modelLicence: "CC BY-SA 4.0",
    },
    state: "running",
    version: 160,
    modelHash: hashOf("4"),
    model: { layers: 2, heads: 4, width: 96, context: 128, vocabulary: 512 },
    parameters: 285_312,
    heldOut,
    bytesPerToken: 2.41,
    baselines: { uniform: 6.24, unigram: 5.24, bigram: 3.98 },
    tokensMerged: 3_276_800,
    tokenBudget: 40_000_000,
    tokensPerSecond: 1_893,
    volunteers: 23,
    deltas: { merged: 640, refused: { stale: 12, "lease-expired": 5, "not-finite": 1, "bad-signature": 1 } },
    rounds: {
      ...{ ms: 1_180, inner: "adamw", batch: 2 },
      lately: {
        versions: 20,
        steps: 14.2,
        late: 0.12,
        goodput: 0.63,
        crowd: { cosine: 0.11, oneMore: 0.05, useful: 32 },
      },
    },
    versions: Array.from({ length: 20 }, (_, i) => ({
      version: 160 - i,
      hash: (i + 10).toString(16).repeat(64).slice(0, 64) as Hash,
      deltas: 4 + (i % 3),
      tokens: 5_120 * (4 + (i % 3)),
      ms: 9_300 + 710 * (i % 5),
      diffBytes: 151_600,
    })),
    questions: { questions: 69, chance: 0.25 },
    prompts: ["The whale", "Call me"],
    sample: {
      version: 160,
      written: [
        " was seen in the water, and the boat of the captain went to the white side of the ship.",
        " the old man, said Starbuck; and all the men of the deck were looking at the sea.",
      ],
      text:
        "The whale was the ship, and the sea was a long of the boat; the captain had not the white head of " +
        "the deck, and all his hand was seen in the water.\n\n“What is the whale?” said Starbuck, and the " +
        "old man was again.",
    },
    samples: [
      {
        version: 0,
        text: "whaosXn it q;fu,ed Yor\nlc hemZ w ti7 as",
        written: ["Q;s tn7ed\nwh aXo", " lcZ u,fo itq hem"],
      },
      { version: 1, text: " the e and ooe t, he  of s the nd a" },
      { version: 4, text: "The the whan of and the sear, the was on the and the of hat" },
      { version: 16, text: "The whale was the sead of the boat, and the man the shipe was been" },
      {
        version: 64,
        text: "The whale was in the sea, and the boat of the captain was the long of the hand.",
      },
    ],
    ...overrides,
  };
}

/** What the operator of that run sees. */
export function exampleOverview(overrides: Partial<Overview> = {}): Overview {
  const versions = Array.from({ length: 160 }, (_, i) => ({
    version: i + 1,
    at: (i + 1) * 11_000,
    tokens: (i + 1) * 20_480,
    deltas: 4 + (i % 3),
    came: 4 + (i % 3),
    ms: 9_300 + 710 * (i % 5) + Math.round(2_000 * Math.abs(Math.sin(i / 9))),
    loss: 3.2 + 3.0 * Math.exp(-i / 28) + 0.05 * Math.sin(i * 2.7),
  }));
  return {
    operator: "Ann",
    state: "running",
    draining: false,
    here: {
      device: { computer: 15, phone: 6, program: 2 },
      browser: { Chrome: 12, Firefox: 5, Safari: 3, Node: 2, Edge: 1 },
      backend: { webgpu: 14, wasm: 8, unknown: 1 },
    },
    volunteers: EXAMPLE_VOLUNTEERS,
    staleness: [112, 64, 21, 6, 2],
    audits: { good: 41, bad: 2 },
    sharedAudits: { agreement: 27, server: 2, wrong: 1 },
    versions,
    heldOut: exampleStatus().heldOut.map((point) => ({ ...point, at: point.version * 11_000 })),
    traffic: { up: 97_034_240, down: 812_400_128, upPerSecond: 54_300, downPerSecond: 412_000 },
    machine: {
      delayMs: { p50: 0.2, p99: 14.8 },
      memoryBytes: 269_287_424,
      upMs: 5_400_000,
      disk: { freeBytes: 81_587_429_376, totalBytes: 270_553_174_016 },
    },
    snapshots: [160, 150, 140],
    sites: [
      { origin: "https://blog.example", volunteers: 12, tickets: 4_312, tokens: 21_400_000 },
      { origin: "https://a-rather-long-name.museum.example", volunteers: 0, tickets: 0, tokens: 0 },
    ],
    tuning: {
      quorum: 4,
      leaseSeconds: 120,
      tokenBudget: 40_000_000,
      learningRate: 0.003,
      finalRate: 0.1,
    },
    log: [
      { at: "2026-11-23T00:41:10.000Z", who: "Ann", action: "start" },
      { at: "2026-11-23T00:12:03.000Z", who: "operator", action: "tune quorum=4 learningRate=0.003" },
      { at: "2026-11-22T23:58:44.000Z", who: "operator", action: "pause" },
    ],
    alerts: [],
    ...overrides,
  };
}

const PASSAGE =
  "Call| me| Ish|ma|el|.| Some| years| ago|—|never| mind| how| long| prec|ise|ly|—|having| little| or| no| money|" +
  " in| my| pur|se|,| and| nothing| part|ic|ular| to| interest| me| on| shore|,| I| thought| I| would| sail|" +
  " about| a| little| and| see| the| water|y| part| of| the| world|.\n| It| is| a| way| I| have| of| driv|ing|" +
  " off| the| sp|leen| and| reg|ul|ating| the| circ|ulation|.";

const GUESSES = [" the", ",", " and", " of", " a", " to", " in", "ing"];

/** What a Worker says in a good hour. */
export function trainingScript(last: Phase = { phase: "training" }): readonly Report[] {
  const tokens = PASSAGE.split("|");
  const status = exampleStatus();
  const guesses = tokens.slice(1).map((token, i) => {
    const right = i % 3 === 1;
    const p = 0.18 + 0.6 * Math.abs(Math.sin(i * 1.7));
    const others = GUESSES.filter((guess) => guess !== token);
    const other = (n: number) => others[(i + n) % others.length] ?? ",";
    const best = [right ? token : other(0), right ? other(0) : other(1), other(2)];
    return {
      at: i + 1,
      best: best.map((guess, rank) => ({ token: guess, probability: p / (rank + 1) ** 2 })),
      truth: { token, probability: right ? p : 0.04 + 0.05 * Math.abs(Math.cos(i)) },
    };
  });
  return [
    { type: "phase", phase: { phase: "starting" } },
    {
      type: "run",
      volunteer: KEY,
      manifest: {
        protocol: 2,
        run: status.run,
        name: status.name,
        operator: status.operator,
        task: "language",
        model: status.model,
        parameters: status.parameters,
        server: KEY,
        tokenizer: hashOf("5"),
        optimizer: { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 },
        batch: 4,
        delta: { name: "dense", bits: 4 },
        residualDecay: 0.95,
        state: "running",
        version: 160,
        hash: status.modelHash,
      },
    },
    {
      type: "device",
      device: { device: "webgpu", engine: "fast", detail: "AMD RDNA 2", software: false },
      probed: [
        { device: "webgpu", engine: "fast", outcome: { tokensPerSecond: 21_400 } },
        { device: "wasm", engine: "fast", outcome: { tokensPerSecond: 3_120 } },
        { device: "webgl", engine: "tfjs", outcome: { refused: "the known gradient came out wrong" } },
      ],
    },
    { type: "phase", phase: { phase: "downloading", what: "weights", bytes: 1_141_248, total: 1_141_248 } },
    { type: "phase", phase: { phase: "training" } },
    { type: "passage", passage: { version: 160, tokens, guesses } },
    ...Array.from({ length: 60 }, (_, i): Report => {
      const loss = 3.2 + 2.4 * Math.exp(-i / 16) + 0.15 * Math.sin(i * 3.3);
      return { type: "step", step: (i % 10) + 1, steps: 10, loss, tokensPerSecond: 9_870 };
    }),
    { type: "sent", bytes: 151_616, version: 159, tokens: 5_120, ticket: TICKET, delta: hashOf("d") },
    { type: "step", step: 4, steps: 10, loss: 3.27, tokensPerSecond: 9_870 },
    { type: "credit", credit: { tokens: 76_800, recent: 20_480, merged: 15, pending: 1, refused: 0 } },
    { type: "traffic", down: 3_212_480, up: 2_425_856 },
    { type: "phase", phase: last },
  ];
}
