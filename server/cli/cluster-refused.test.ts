import { expect, test } from "vitest";
import { seatWorld } from "../../test/harness/seat-world.ts";
import { until } from "../../test/harness/tiny-run.ts";
import { lockDirectory } from "../data-dir/lock.ts";
import { MirrorError } from "../mirror/target.ts";
import { StoreError } from "../store/store.ts";

test("a server that stands by, or is an edge, ends where its mirror is another run's, before anybody is sent there", async () => {
  const failure = new MirrorError("/cdn is the mirror of another run");
  const standing = seatWorld();
  standing.mirrorAnother(failure);
  await expect(standing.seat.openStore(standing.directory)).rejects.toBe(failure);
  const edge = seatWorld();
  edge.mirrorAnother(failure);
  await expect(edge.seat.stayEdge()).rejects.toBe(failure);
  lockDirectory(edge.directory)(); // and it lets go of its directory
  for (const { happened } of [standing, edge]) {
    expect(happened).not.toContain("follow");
    expect(happened.at(-1)).toBe("edge 0 closed");
  }
});

test("whose its mirror is a server asks once, however often it opens the run", async () => {
  const { seat, happened, edges, lead, directory, asked } = seatWorld();
  const opening = seat.openStore(directory);
  await until(() => happened.includes("follow"));
  edges[0]?.lose();
  await until(() => happened.filter((line) => line === "follow").length === 2);
  lead();
  await opening;
  expect(asked).toEqual(["the run"]);
});

test("a cluster that may lose what it acknowledges is asked once, and refused before anything is written to it", async () => {
  const { seat, happened, directory, doNotSync, lead } = seatWorld();
  doNotSync(new StoreError("n3 does not sync its writes"));
  await expect(seat.openStore(directory)).rejects.toThrow("n3 does not sync its writes");
  expect(happened).toEqual([]);
  lead();
  await seat.openStore(directory);
  expect(happened.slice(0, 2)).toEqual(["asked the nodes", "murmuration serve: n3 is away"]);
  expect(happened.filter((line) => line === "asked the nodes")).toHaveLength(1);
});

test("an edge of such a cluster answers nobody until it is mended", async () => {
  const { seat, happened, doNotSync, stop } = seatWorld();
  const refused = new StoreError("n3 does not sync its writes");
  doNotSync(refused, refused);
  const staying = seat.stayEdge();
  await until(() => happened.includes("follow"));
  expect(happened.slice(0, 6)).toEqual([
    "murmuration serve: no edge yet: n3 does not sync its writes",
    "slept 1000",
    "slept 1000",
    "asked the nodes",
    "murmuration serve: n3 is away",
    "edge 0 open",
  ]);
  stop.abort();
  await staying;
});
