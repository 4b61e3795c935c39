import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { messageOf } from "../../model/lib/message-of.ts";
import { utf8 } from "../../protocol/bytes.ts";
import { createIdentity, type Identity } from "../../protocol/identity.ts";
import type { ServerNonce } from "../../protocol/ids.ts";
import { LOBBY_ROUTES } from "../../protocol/lobby.ts";
import { type Manifest, parseManifest } from "../../protocol/manifest.ts";
import { OPERATOR_HEADER, OPERATOR_ROUTES } from "../../protocol/operator.ts";
import { verifyReceipt } from "../../protocol/receipt.ts";
import { type Recipient, SERVER_NONCE_HEADER } from "../../protocol/request.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { prose } from "../../test/corpus-fixture.ts";
import { drawNonce, signedPost } from "../../test/edge.ts";
import { askHost } from "../../test/harness/ask-host.ts";
import { HttpVolunteer, smallDelta } from "../../test/harness/http-volunteer.ts";
import { Volunteer } from "../../test/independent/volunteer.js";
import { addCorpus } from "../corpus/add.ts";
import { lockDirectory } from "../data-dir/lock.ts";
import { Assets } from "../http/assets.ts";
import { createLobby } from "../http/lobby.ts";
import { type Listening, listen } from "../net/listen.ts";
import { AuditLog } from "../operator/audit-log.ts";
import { issueLink } from "../operator/link.ts";
import { Sessions } from "../operator/sessions.ts";
import { parseSettings } from "../run/settings.ts";
import { ManyRuns } from "./many-runs.ts";
import { openDirectory } from "./open-directory.ts";
import { openMeters } from "./operator.ts";
import { lobbyOf } from "./run-summary.ts";
import { RunsOperator } from "./runs-operator.ts";
import type { ServeOptions } from "./serve-options.ts";
import { openThreads } from "./threads.ts";

const DOMAIN = "train.example";
const SETTINGS = parseSettings({
  model: { layers: 1, heads: 1, width: 8, context: 16 },
  evaluateWindows: 1,
  ...{ batch: 1, rounds: { seconds: 0.1, batch: 1 }, steps: 1, warmupTokens: 0, quorum: 1 },
  trust: { auditShare: 0 },
});

const log = pino({ level: "silent" });
const stderr = { write: () => {} };
const now = () => performance.now();
const overall = new Sessions(now);
const meters = openMeters();
let directory: string;
let runs: ManyRuns;
let server: Listening;
let ticking: NodeJS.Timeout;

const folder = (name: string) => join(directory, "runs", name);

beforeAll(async () => {
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
    ...{ origins: [], mirror: undefined, cluster: undefined, edge: false, alertUrl: undefined, embedOn: [] },
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
}, 120_000);
afterAll(async () => {
  clearInterval(ticking);
  runs.endStreams();
  await server.close(0);
  await runs.close();
  meters.delay.close();
  await rm(directory, { recursive: true, force: true });
});

/** One way to reach a run: its path on the server's own name, or its host name. */
class Way {
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

const ways = ["whales", "squids"].flatMap((run) => [new Way(run, "path"), new Way(run, "host")]);
const pairs = ways.flatMap((from) => ways.filter((to) => to.run !== from.run).map((to) => ({ from, to })));
const lobby = new Way("whales", "path").send;

const codeOf = async (answer: Response | Promise<Response>): Promise<string> => {
  const response = await answer;
  return response.ok ? "taken" : (await response.json()).error.code;
};
const refusalOf = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => "taken",
    (error: { code: string }) => error.code,
  );

describe("a server of several runs", () => {
  it("serves each at its path and at its host name, with its own key and run", async () => {
    const manifests = await Promise.all(ways.map((way) => way.manifest()));
    expect(manifests.map(({ path }) => path)).toEqual(["/r/whales", undefined, "/r/squids", undefined]);
    expect(manifests[0]).toEqual({ ...manifests[1], path: "/r/whales" });
    expect(new Set(manifests.map(({ run }) => run)).size).toBe(2);
    expect(new Set(manifests.map(({ server: key }) => key)).size).toBe(2);
    for (const way of ways) {
      const volunteer = await way.volunteer();
      const { parameters, server: key } = await way.manifest();
      expect(await verifyReceipt(key, await volunteer.contribute(parameters, 1)), way.label).toBe(true);
    }
  });

  it("S5: is signed for with the run's path behind the origin, and not by a client that is elsewhere", async () => {
    const [whales] = ways;
    const elsewhere = await HttpVolunteer.create(whales!.ask, `https://${DOMAIN}`);
    await expect(elsewhere.ticket()).rejects.toThrow("an answer for /r/whales at https://train.example");
    const me = await createIdentity();
    const from = async (origin: string) => {
      const to = { ...(await whales!.recipient()), origin };
      return codeOf(
        whales!.ask(ROUTES.tickets, await signedPost(me, ROUTES.tickets, utf8("{}"), drawNonce(), to)),
      );
    };
    expect(await from(`https://${DOMAIN}/r/whales`)).toBe("taken");
    for (const path of ["", "/r/squids", "/r/no-such-run"])
      expect(await from(`https://${DOMAIN}${path}`)).toBe("other-origin");
    for (const path of ["/r/Whales", "/r/whales/", "/whales", "/r/"]) {
      expect(await from(`https://${DOMAIN}${path}`), path).toBe("bad-signature");
    }
    // The host names belong to one run each.
    expect(await from(`https://whales.${DOMAIN}`)).toBe("taken");
    expect(await from(`https://squids.${DOMAIN}`)).toBe("other-origin");
  });

  it("S5: gives work to a volunteer that was written from the protocol alone", async () => {
    const url = `http://127.0.0.1:${server.port}/r/squids/`;
    const volunteer = new Volunteer({ url, log: () => {}, sleep: async () => {} });
    await volunteer.join();
    await volunteer.round();
    expect(volunteer.totals.receipts).toBe(1);
  });

  it("leads to the run's path with its slash, wherever a proxy has it", async () => {
    const led = await lobby("/r/whales?x=1");
    expect([led.status, led.headers.get("location")]).toEqual([308, "whales/?x=1"]);
  });

  it("has nothing at names that are no run's, in any spelling", async () => {
    const paths = [
      "nosuch",
      "..",
      "%2e%2e",
      "Whales",
      "whales%2f",
      "%77hales",
      "whales/r/squids",
      "zz-copy",
      "",
    ];
    for (const path of paths) expect((await lobby(`/r/${path}/api/manifest`)).status, path).toBe(404);
    for (const path of ["//r/whales/api/manifest", "/r//whales/api/manifest", "/r/whales//api/manifest"]) {
      expect((await lobby(path)).status, path).toBe(404);
    }
    for (const host of [`nosuch.${DOMAIN}`, `a.whales.${DOMAIN}`, `.${DOMAIN}`]) {
      expect(await codeOf(askHost(server.port, host, "/api/runs")), host).toBe("not-found");
    }
    // At a run's own host name there is no way to another.
    expect((await ways[1]!.send("/r/squids/api/manifest")).status).toBe(404);
    expect((await lobby("/api/runs")).status).toBe(200); // the control: so the server answers at all
  });

  it("M4: lists the runs that are made, each as its own status says it", async () => {
    const { runs: listed } = await (await lobby("/api/runs")).json();
    expect(listed.map(({ id }: { id: string }) => id)).toEqual(["squids", "whales"]);
    const status = await (await ways[0]!.ask("/api/run")).json();
    const { name, operator, card, state, parameters, tokenBudget, bytesPerToken } = status;
    expect(listed[1]).toMatchObject({ name, operator, card, state, parameters, tokenBudget, bytesPerToken });
    expect(listed[1]).toMatchObject({ path: "/r/whales", host: `whales.${DOMAIN}`, oneMore: null });
    expect(listed[1].bytes).toMatchObject({ first: 4 * parameters });
  });

  it("names the runs that do not open, and serves the others", () => {
    expect(runs.open.map(({ name, run }) => [name, run !== undefined])).toEqual([
      ["not-made", false],
      ["squids", true],
      ["whales", true],
    ]);
    expect([...runs.failed.keys()].sort()).toEqual(["Not a name", "damaged", "foreign", "locked", "zz-copy"]);
    expect(runs.failed.get("Not a name")).toMatch(/is no name for a run/);
    expect(runs.failed.get("foreign")).toMatch(/holds other files/);
    expect(runs.failed.get("damaged")).toMatch(/corpus\.json/);
    expect(runs.failed.get("locked")).toMatch(/another server uses/);
    expect(runs.failed.get("zz-copy")).toMatch(/copy of the run whales/);
  });

  it("opens a run that could not be opened once that is put right", async () => {
    await runs.openOne("locked");
    expect(runs.failed.has("locked")).toBe(false);
    await runs.closeOne("locked");
  });
});

describe.each(pairs)("what is made for $from.label is not good for $to.label", ({ from, to }) => {
  it("a captured request, whatever is changed in its headers; the control: it is good where it was made for", async () => {
    const me = await createIdentity();
    const there = await to.recipient();
    const init = await signedPost(me, ROUTES.tickets, utf8("{}"), drawNonce(), await from.recipient());
    const sent = (headers: Record<string, string>) =>
      codeOf(to.ask(ROUTES.tickets, { ...init, headers: { ...init.headers, ...headers } }));
    expect(await sent({})).toBe("other-run");
    const run = { "murmuration-run": there.run };
    expect(await sent(run)).toBe("other-origin");
    const origin = { ...run, "murmuration-origin": there.origin };
    expect(await sent(origin)).toBe("server-nonce-expired");
    expect(await sent({ ...origin, "murmuration-server-nonce": there.serverNonce })).toBe("bad-signature");
    expect(await codeOf(from.ask(ROUTES.tickets, init))).toBe("taken");
  });

  it("a server nonce", async () => {
    const me = await createIdentity();
    const [own, theirs] = [await to.recipient(), await from.recipient()];
    const ask = async (serverNonce: ServerNonce) =>
      codeOf(
        to.ask(
          ROUTES.tickets,
          await signedPost(me, ROUTES.tickets, utf8("{}"), drawNonce(), { ...own, serverNonce }),
        ),
      );
    expect(await ask(theirs.serverNonce)).toBe("server-nonce-expired");
    expect(await ask(own.serverNonce)).toBe("taken");
  });

  it("a ticket, its receipt and its proof", async () => {
    const me = await createIdentity();
    const [here, there] = [await from.volunteer(me), await to.volunteer(me)];
    const { parameters, server: key } = await from.manifest();
    const ticket = await here.ticket();
    const frame = smallDelta(parameters, 1, ticket);
    expect(await refusalOf(there.upload(ticket, frame))).toBe("bad-ticket");
    const receipt = await here.upload(ticket, frame);
    expect(await verifyReceipt((await to.manifest()).server, receipt)).toBe(false);
    expect(await verifyReceipt(key, receipt)).toBe(true);
    const proofAt = async (way: Way) => (await (await way.ask(ROUTES.proof(ticket.id))).json()).proof;
    await vi.waitFor(async () => expect(await proofAt(from)).not.toBeNull(), {
      timeout: 20_000,
      interval: 20,
    });
    expect(await proofAt(to)).toBeNull();
  });

  it("an operator's link, session and cookie; those of the operator of all runs are good for each", async () => {
    const link = await issueLink(folder(from.run), "Ann", Date.now());
    const signIn = (way: Way) =>
      way.ask(OPERATOR_ROUTES.signIn, {
        method: "POST",
        headers: {
          origin: `http://${way.host}`,
          [OPERATOR_HEADER]: "1",
          "content-type": "application/json",
        },
        body: JSON.stringify({ link, path: `${way.base}/` }),
      });
    expect(await codeOf(signIn(to))).toBe("not-signed-in");
    const signedIn = await signIn(from);
    expect(signedIn.status).toBe(200);
    const cookie = signedIn.headers.get("set-cookie") ?? "";
    expect(cookie).toContain(`Path=${from.base}/;`);
    const overviewAt = (way: Way, sent: string) =>
      codeOf(way.ask(OPERATOR_ROUTES.overview, { headers: { cookie: sent.split(";", 1)[0]! } }));
    expect(await overviewAt(from, cookie)).toBe("taken");
    expect(await overviewAt(to, cookie)).toBe("not-signed-in");
    const ofAll = `murmuration-operator=${overall.begin({ name: "Zoe" })}`;
    for (const way of [from, to]) expect(await overviewAt(way, ofAll)).toBe("taken");
  });
});

describe("O7: the operator of all runs", () => {
  const SAME = { origin: `http://${DOMAIN}`, [OPERATOR_HEADER]: "1", "content-type": "application/json" };
  const cookie = { cookie: `murmuration-operator=${overall.begin({ name: "Zoe" })}` };
  const act = (action: object, headers: Record<string, string> = cookie) =>
    lobby(LOBBY_ROUTES.operatorRuns, {
      method: "POST",
      headers: { ...SAME, ...headers },
      body: JSON.stringify(action),
    });
  const listed = async () => (await lobby(LOBBY_ROUTES.operatorRuns, { headers: cookie })).json();
  const stateOf = async (id: string) =>
    (await listed()).runs.find((one: { id: string }) => one.id === id)?.state;

  it("is asked who it is, and a run's own operator is not enough", async () => {
    const link = await issueLink(folder("whales"), "Ann", Date.now());
    const signIn = (way: (path: string, init: RequestInit) => Promise<Response>, secret: string) =>
      way(OPERATOR_ROUTES.signIn, { method: "POST", headers: SAME, body: JSON.stringify({ link: secret }) });
    const ofRun = await signIn(ways[0]!.ask, link);
    const [sent = ""] = ofRun.headers.get("set-cookie")?.split(";") ?? [];
    for (const headers of [{}, { cookie: sent }]) {
      expect(await codeOf(act({ action: "create", id: "mine" }, headers as Record<string, string>))).toBe(
        "not-signed-in",
      );
    }
    expect(await codeOf(signIn(lobby, link))).toBe("not-signed-in");
    expect((await signIn(lobby, await issueLink(directory, "Zoe", Date.now()))).status).toBe(200);
    expect(
      await codeOf(act({ action: "create", id: "mine" }, { ...cookie, origin: "https://evil.example" })),
    ).toBe("foreign-origin");
    expect(runs.open.map(({ name }) => name)).not.toContain("mine");
  });

  it("makes a run that waits for its text, and deletes it with all its files", async () => {
    expect(await codeOf(act({ action: "create", id: "dolphins" }))).toBe("taken");
    expect(await stateOf("dolphins")).toBe("not-made");
    const dolphins = new Way("dolphins", "path");
    expect((await dolphins.ask("/api/operator/setup", { headers: cookie })).status).not.toBe(401);
    expect(await codeOf(dolphins.ask(ROUTES.manifest))).toBe("no-run");
    expect(await codeOf(act({ action: "create", id: "dolphins" }))).toBe("name-taken");
    expect(await codeOf(act({ action: "archive", id: "dolphins" }))).toBe("not-ready");
    expect(await codeOf(act({ action: "delete", id: "dolphins", confirm: "whales" }))).toBe("bad-request");
    expect(await codeOf(act({ action: "delete", id: "dolphins" }))).toBe("bad-request");
    expect(await stateOf("dolphins")).toBe("not-made");
    expect(await codeOf(act({ action: "delete", id: "dolphins", confirm: "dolphins" }))).toBe("taken");
    expect(await stateOf("dolphins")).toBeUndefined();
    expect(await codeOf(dolphins.ask(ROUTES.manifest))).toBe("not-found");
    expect((await readdir(join(directory, "runs"))).filter((name) => name.includes("dolphins"))).toEqual([]);
  });

  it.each([
    "",
    "..",
    ".",
    "../evil",
    "Whales",
    "a/b",
    "a b",
    "-a",
    "a-",
    "a".repeat(41),
    "ö",
    "con\u0000",
    "runs/../..",
  ])("makes nothing of the name %j, and deletes nothing by it", async (id) => {
    const before = await readdir(directory, { recursive: true });
    for (const action of ["create", "delete", "archive", "open"]) {
      expect(await codeOf(act({ action, id, confirm: id })), action).toBe("bad-request");
    }
    expect((await readdir(directory, { recursive: true })).length).toBe(before.length);
  });

  it("hears why a run still cannot be opened, and what there is not", async () => {
    expect(await codeOf(act({ action: "open", id: "damaged" }))).toBe("not-ready");
    expect(await codeOf(act({ action: "archive", id: "damaged" }))).toBe("not-ready");
    for (const action of ["open", "archive", "delete"]) {
      expect(await codeOf(act({ action, id: "nosuch", confirm: "nosuch" })), action).toBe("not-found");
    }
    expect(await codeOf(act({ action: "explode", id: "whales" }))).toBe("bad-request");
    expect(await codeOf(act({ action: "delete", id: "zz-copy", confirm: "zz-copy" }))).toBe("taken");
    expect(runs.failed.has("zz-copy")).toBe(false);
  });

  it("archives a run, which is served on and gives no work; the others go on", async () => {
    expect(await codeOf(act({ action: "archive", id: "squids" }))).toBe("taken");
    expect(await stateOf("squids")).toBe("finished");
    const [whales, , squids] = ways;
    expect(await refusalOf((await squids!.volunteer()).ticket())).toBe("run-finished");
    expect((await squids!.ask(ROUTES.latestSnapshot)).status).toBe(200);
    expect(await refusalOf((await whales!.volunteer()).ticket())).toBe("taken");
    const said = (await listed()).log.map(({ action }: { action: string }) => action);
    expect(said.slice(0, 3)).toEqual(["archive squids", "delete zz-copy", "delete dolphins"]);
  });
});
