import { expect, test } from "vitest";
import { seatWorld } from "../../test/harness/seat-world.ts";
import { until } from "../../test/harness/tiny-run.ts";
import { LockedError } from "../data-dir/error.ts";
import { lockDirectory } from "../data-dir/lock.ts";
import { MAX_OPERATOR_BYTES } from "../net/limits.ts";
import { StoreError } from "../store/store.ts";

test("a server stands by as an edge, and lets go of the edge's index before it opens the store that it leads", async () => {
  const { seat, happened, lead, directory } = seatWorld();
  const opening = seat.openStore(directory);
  await until(() => happened.includes("An edge of the run: http://here/"));
  lead();
  await opening;
  expect(happened).toEqual([
    ...["asked the nodes", "murmuration serve: n3 is away"],
    "one:1 serves this run. Standing by as an edge, to take over when it ends.",
    "edge 0 open",
    "follow",
    "An edge of the run: http://here/",
    "edge 0 closed", // and not unfollowed: reads go on until the run is served
    "store open",
  ]);
});

test("what tells the operator looks at the edge until this server leads, and hears whether it does", async () => {
  const { seat, happened, lead, directory, watched } = seatWorld();
  const opening = seat.openStore(directory);
  await until(() => happened.includes("follow") && watched.length === 1);
  lead();
  await opening;
  expect(watched).toEqual(["an edge", "its end", "over"]);
  const { seat: edge, stop, watched: seen } = seatWorld();
  const staying = edge.stayEdge();
  await until(() => seen.length === 1);
  stop.abort();
  await staying;
  expect(seen).toEqual(["an edge", "its end"]);
});

test("an edge that lost the journal answers nobody until it has opened it again", async () => {
  const { seat, happened, edges, lead, directory } = seatWorld();
  const opening = seat.openStore(directory);
  await until(() => happened.includes("An edge of the run: http://here/"));
  happened.length = 0;
  edges[0]?.lose();
  await until(() => happened.length === 5);
  expect(happened).toEqual([
    "unfollow",
    "edge 0 closed",
    "edge 1 open",
    "follow",
    "An edge of the run: http://here/",
  ]);
  lead();
  await opening;
});

test("an edge that cannot open tries each second, and says why once for each reason", async () => {
  const { seat, happened, fail, lead, directory } = seatWorld();
  const [early, away] = [new StoreError("the run has not begun"), new StoreError("nobody answers")];
  fail(early, early, away, early);
  const opening = seat.openStore(directory);
  await until(() => happened.includes("follow"));
  expect(happened.slice(3, -2)).toEqual([
    "murmuration serve: no edge yet: the run has not begun",
    "slept 1000",
    "slept 1000",
    "murmuration serve: no edge yet: nobody answers",
    "slept 1000",
    "murmuration serve: no edge yet: the run has not begun",
    "slept 1000",
    "edge 0 open",
  ]);
  lead();
  await opening;
});

test("a server that comes to lead while it cannot be an edge stops trying", async () => {
  const { seat, happened, fail, lead, directory } = seatWorld();
  const away = new StoreError("nobody answers");
  fail(...Array.from({ length: 10_000 }, () => away));
  const opening = seat.openStore(directory);
  await until(() => happened.length > 3);
  lead();
  await opening;
  const { length } = happened;
  await new Promise(setImmediate);
  expect(happened).toHaveLength(length);
  expect(happened).not.toContain("follow");
});

test("with --edge a server stays one until it is stopped, and has its directory for itself meanwhile", async () => {
  const { seat, happened, stop, directory } = seatWorld();
  const staying = seat.stayEdge();
  await until(() => happened.includes("follow"));
  expect(() => lockDirectory(directory)).toThrow(LockedError);
  stop.abort();
  await staying;
  expect(happened.slice(-1)).toEqual(["edge 0 closed"]);
  lockDirectory(directory)();
});

test("what leads answers what edges pass on, with the run's version, and bounds it, and tells them the time", async () => {
  const { seat, ask, told, lead, directory } = seatWorld();
  lead();
  await seat.openStore(directory);
  let version = 3;
  const deposed = new AbortController();
  const run = {
    manifest: () => ({ version }) as never,
    maxUploadBytes: 10,
    now: 77,
    deposed: deposed.signal,
  };
  seat.lead(run);
  await until(() => told.length > 2);
  expect(told[0]).toBe(77);
  deposed.abort();
  await new Promise(setImmediate);
  const { length } = told;
  const request = { method: "POST", target: "/x", headers: [], address: "192.0.2.1", encrypted: false };
  const answer = await ask({ ...request, body: new Uint8Array(3) });
  expect(answer).toMatchObject({ status: 200, version: 3 });
  expect(new TextDecoder().decode(answer?.body)).toBe("POST /x");
  version = 4;
  expect(await ask({ ...request, body: new Uint8Array() })).toMatchObject({ version: 4 });
  const long = ask({ ...request, body: new Uint8Array(MAX_OPERATOR_BYTES + 1) });
  await expect(long).rejects.toMatchObject({ code: "too-large" });
  expect(told.length, "one that leads no more says nothing").toBe(length);
});

test("a server that is stopped while it stands by follows the run no longer", async () => {
  const { seat, happened, giveUp, directory } = seatWorld();
  const opening = seat.openStore(directory);
  await until(() => happened.includes("follow"));
  giveUp(new Error("stopped"));
  await expect(opening).rejects.toThrow("stopped");
  expect(happened.at(-1)).toBe("edge 0 closed");
});

test("while another leads, a server works for it where it is to; before it leads it takes nothing more", async () => {
  const idle = seatWorld();
  const opening = idle.seat.openStore(idle.directory);
  await until(() => idle.happened.includes("follow"));
  expect(idle.happened.some((line) => line.startsWith("takes"))).toBe(false);
  idle.lead();
  await opening;
  const { seat, happened, directory, lead, failWork } = seatWorld("audits");
  failWork(new StoreError("the run has not begun"));
  const store = seat.openStore(directory);
  await until(() => happened.includes("takes audits"));
  expect(happened).toContain("murmuration serve: no work is taken yet: the run has not begun");
  lead();
  await store;
  expect(happened.indexOf("takes nothing")).toBeLessThan(happened.indexOf("store open"));
  expect(seat.jobs(), "where it has others work now").toBeDefined();
});
