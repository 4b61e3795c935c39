import { pino } from "pino";
import { expect, it } from "vitest";
import { edge } from "../../test/edge.ts";
import { FakeService } from "../../test/fake-service.ts";
import type { RunsPort } from "../operator/ports.ts";
import { Sessions } from "../operator/sessions.ts";
import { Assets, makeAsset } from "./assets.ts";
import { createLobby } from "./lobby.ts";
import { newReads } from "./read.ts";

const html = (name: string) => new TextEncoder().encode(`<!doctype html><title>${name}</title>`);
const HTML = "text/html; charset=utf-8";
const JS = "text/javascript; charset=utf-8";
const PAGES = new Assets([
  ...["/", "/status", "/operator", "/frame", "/lobby", "/runs", "/norun"].map((path) =>
    makeAsset(path, HTML, html(path)),
  ),
  makeAsset("/embed.js", JS, html("embed")),
  makeAsset("/assets/lobby-abc123.js", JS, html("script")),
]);
const operator: RunsPort = {
  redeem: async () => undefined,
  list: () => ({ runs: [], log: [] }),
  act: async () => {},
};
const lobby = (assets = PAGES) =>
  createLobby({
    ...{ assets, operator, log: pino({ level: "silent" }), proxies: 0, now: () => 0 },
    ...{ sessions: new Sessions(() => 0), lobby: () => ({ runs: [] }) },
  });
const titleAt = async (app: { request: (path: string) => Response | Promise<Response> }, path: string) => {
  const answer = await app.request(path);
  return answer.ok ? /<title>(.*)<\/title>/.exec(await answer.text())?.[1] : answer.status;
};

it("has a first page and its operator's, and none of those that belong to a run", async () => {
  const app = lobby();
  expect(await titleAt(app, "/")).toBe("/lobby");
  expect(await titleAt(app, "/operator")).toBe("/runs");
  expect(await titleAt(app, "/assets/lobby-abc123.js")).toBe("script");
  for (const path of [
    "/status",
    "/frame",
    "/lobby",
    "/runs",
    "/norun",
    "/embed.js",
    "/nosuch",
    "/api/run",
    "/r/",
  ]) {
    expect(await titleAt(app, path), path).toBe(404);
  }
  const led = await app.request("/operator/");
  expect([led.status, led.headers.get("location")]).toEqual([301, "../operator"]);
  expect((await app.request("/api/runs", { method: "POST" })).status).toBe(405);
});

it("A37: counts who is at work once a second for all who ask; the control: again after it", async () => {
  let [now, counted] = [0, 0];
  const app = createLobby({
    ...{ assets: PAGES, operator, log: pino({ level: "silent" }), proxies: 0, now: () => now },
    sessions: new Sessions(() => 0),
    lobby: () => {
      counted++;
      return { runs: [] };
    },
  });
  for (let asked = 0; asked < 100; asked++) {
    expect((await app.request("/api/runs")).status).toBe(200);
    expect((await app.request("/readyz")).status).toBe(200);
  }
  expect(counted).toBe(1);
  now += 1_000;
  await app.request("/api/runs");
  expect(counted).toBe(2);
});

it("says what is missing where the pages are not built", async () => {
  expect(await (await lobby(new Assets([])).request("/")).text()).toMatch(/The pages are not built/);
});

it("a server of one run has no page of several", async () => {
  const app = edge(new FakeService(), { assets: PAGES });
  for (const path of ["/lobby", "/runs", "/api/runs"]) expect(await titleAt(app, path), path).toBe(404);
  expect(await titleAt(app, "/")).toBe("/"); // the control
  expect(await titleAt(app, "/operator")).toBe("/operator");
});

it("files kept in memory for several runs are each run's own; the control: the same run's are shared", async () => {
  const reads = newReads();
  const runOf = (id: string, byte: number) => {
    const service = new FakeService();
    const { run: _, ...manifest } = service.manifest();
    service.manifest = () => ({ ...manifest, run: id.repeat(64) as typeof _ });
    service.diff = async () => new Uint8Array([byte]);
    return edge(service, { reads });
  };
  const byteOf = async (app: ReturnType<typeof edge>) =>
    new Uint8Array(await (await app.request("/api/diffs/3")).arrayBuffer())[0];
  expect(await byteOf(runOf("a", 1))).toBe(1);
  expect(await byteOf(runOf("b", 2))).toBe(2);
  expect(await byteOf(runOf("a", 3))).toBe(1);
});
