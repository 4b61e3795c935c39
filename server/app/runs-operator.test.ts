import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LOBBY_ROUTES } from "../../protocol/lobby.ts";
import { OPERATOR_HEADER, OPERATOR_ROUTES } from "../../protocol/operator.ts";
import { ROUTES } from "../../protocol/routes.ts";
import {
  codeOf,
  DOMAIN,
  directory,
  endMany,
  folder,
  lobby,
  overall,
  refusalOf,
  runs,
  serveMany,
  Way,
  ways,
} from "../../test/harness/many-runs.ts";
import { issueLink } from "../operator/link.ts";

beforeAll(serveMany, 120_000);
afterAll(endMany);

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
