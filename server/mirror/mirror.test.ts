import { expect, test } from "vitest";
import { sha256 } from "../../protocol/identity.ts";
import { diffName, snapshotName } from "../../protocol/ids.ts";
import { pathInMirror, ROUTES } from "../../protocol/routes.ts";
import { MemoryTarget } from "../../test/harness/memory-target.ts";
import {
  advance,
  ManualClock,
  TestVolunteer,
  tinyCorpus,
  tinyRun,
  tinySettings,
  until,
} from "../../test/harness/tiny-run.ts";
import type { Log } from "../lib/log.ts";
import { Mirror } from "./mirror.ts";
import { mirrorSource } from "./source.ts";
import { MirrorError } from "./target.ts";

const URL = "https://cdn.example/run";
const volunteer = await TestVolunteer.create();

async function mirrored(target = new MemoryTarget(), given: Parameters<typeof tinyRun>[0] = {}) {
  const clock = new ManualClock();
  const lines: string[] = [];
  const warn = (_: unknown, line?: string) => void lines.push(line ?? "");
  const log: Log = { info: () => {}, warn, error: warn };
  const mirror = new Mirror({ url: URL, target, log, clock: clock.read });
  const corpus = await tinyCorpus();
  const tiny = await tinyRun({ ...given, corpus, mirror });
  const attached = mirror.attach(mirrorSource(tiny.run, corpus));
  const caughtUp = () => until(() => !mirror.behind);
  return { clock, lines, mirror, target, tiny, corpus, attached, caughtUp };
}

test("a version's snapshot, diff and signed lists are in the mirror before anybody hears of it", async () => {
  const { tiny, target, attached, caughtUp, mirror } = await mirrored();
  await attached;
  await caughtUp();
  const heard: string[][] = [];
  tiny.run.subscribe((event) => {
    if (event.type === "version") heard.push([...target.files.keys()]);
  });
  await advance(volunteer, tiny, 1);
  const [names] = heard;
  const { hash } = tiny.run.latestSnapshot();
  const diff = await tiny.run.diff(0);
  for (const path of [
    pathInMirror(snapshotName(hash), hash),
    pathInMirror(diffName(0), await sha256(diff)),
    ROUTES.chunks(diffName(0)),
    ROUTES.chunks(snapshotName(hash)),
  ]) {
    expect(names).toContain(path.slice(1));
  }
  expect(target.bytesOf(pathInMirror(diffName(0), await sha256(diff)))).toEqual(diff);
  expect(target.headersOf(pathInMirror(snapshotName(hash), hash))).toMatchObject({
    "cache-control": expect.stringContaining("immutable"),
  });
  expect(tiny.run.manifest().mirror).toBe(URL);
  await mirror.close();
  await tiny.run.close();
});

test("what was made before there was a mirror is copied: the newest snapshot, diffs and all train text", async () => {
  const before = await tinyRun({ corpus: await tinyCorpus() });
  await advance(volunteer, before, 3);
  await before.run.close();
  const { tiny, corpus, target, attached, caughtUp, mirror } = await mirrored(undefined, {
    files: before.files,
  });
  await attached;
  await caughtUp();
  for (const { hash } of corpus.train)
    expect(target.bytesOf(ROUTES.shard(hash))).toEqual(await corpus.shard(hash));
  for (const version of [0, 1, 2]) {
    const diff = await tiny.run.diff(version);
    expect(target.bytesOf(pathInMirror(diffName(version), await sha256(diff)))).toEqual(diff);
  }
  const { hash, bytes } = tiny.run.latestSnapshot();
  expect(target.bytesOf(ROUTES.snapshot(hash))).toEqual(bytes);
  await mirror.close();
  await tiny.run.close();
});

test("what is asked for no more is removed by name, also after a restart, and other files stay", async () => {
  const settings = tinySettings({ keepDiffs: 2, snapshotEvery: 1, keepSnapshots: 1 });
  const one = await mirrored(undefined, { settings });
  await one.attached;
  await advance(volunteer, one.tiny, 4);
  await one.caughtUp();
  await one.mirror.close();
  await one.tiny.run.close();
  one.target.files.set("robots.txt", { bytes: new Uint8Array(1), headers: {} });
  const two = await mirrored(one.target, { settings, files: one.tiny.files });
  await two.attached;
  await advance(volunteer, two.tiny, 4);
  await two.caughtUp();
  const names = [...two.target.files.keys()];
  expect(
    names
      .filter((name) => name.startsWith("api/diffs/"))
      .map((name) => name.split(/[/-]/)[2])
      .sort(),
  ).toEqual(["5", "6", "7"]);
  expect(names.filter((name) => name.startsWith("api/chunks/diffs/"))).toHaveLength(3);
  expect(names.filter((name) => name.startsWith("api/snapshots/"))).toHaveLength(4);
  expect(names).toContain("robots.txt");
  await two.mirror.close();
  await two.tiny.run.close();
});

test("a mirror that cannot be written costs one line and no version, and gets what it lacks when it is well", async () => {
  const { tiny, target, attached, caughtUp, lines, clock, mirror } = await mirrored();
  await attached;
  await caughtUp();
  target.fails = new Error("403 Forbidden");
  await advance(volunteer, tiny, 2);
  expect(tiny.run.status().version).toBe(2);
  expect(lines).toEqual([expect.stringContaining("the mirror cannot be written")]);
  target.fails = undefined;
  mirror.tick();
  expect(mirror.behind).toBe(true); // not before its time
  clock.ms += 30_000;
  mirror.tick();
  await caughtUp();
  const diff = await tiny.run.diff(0);
  expect(target.bytesOf(pathInMirror(diffName(0), await sha256(diff)))).toEqual(diff);
  await mirror.close();
  await tiny.run.close();
});

test("a mirror that never answers delays a version by five seconds, once", async () => {
  const { tiny, target, attached, caughtUp, clock, mirror } = await mirrored();
  await attached;
  await caughtUp();
  const answers = Promise.withResolvers<void>();
  target.slow = answers.promise;
  const first = advance(volunteer, tiny, 1);
  await until(() => mirror.behind);
  clock.ms += 4_999;
  mirror.tick();
  await new Promise((resolve) => setImmediate(resolve));
  expect(tiny.run.status().version).toBe(0);
  clock.ms += 1;
  mirror.tick();
  await first;
  await advance(volunteer, tiny, 2); // nothing waits for it
  expect(tiny.run.status().version).toBe(3);
  answers.resolve();
  await until(() => {
    mirror.tick();
    return !mirror.behind;
  });
  expect([...target.files.keys()].filter((name) => name.startsWith("api/diffs/"))).toHaveLength(3);
  await mirror.close();
  await tiny.run.close();
});

test("another run's mirror is refused in one line, and nothing in it is touched", async () => {
  const one = await mirrored();
  await one.attached;
  await one.caughtUp();
  await one.mirror.close();
  await one.tiny.run.close();
  const before = [...one.target.files.keys()];
  const two = await mirrored(one.target, { settings: tinySettings({ seed: 2 }) });
  await expect(two.attached).rejects.toThrow(MirrorError);
  await expect(two.attached).rejects.toThrow(/another run/);
  await advance(volunteer, two.tiny, 1);
  expect([...one.target.files.keys()]).toEqual(before);
  one.target.files.set("murmuration.json", { bytes: new TextEncoder().encode('{"run":1}'), headers: {} });
  const three = await mirrored(one.target);
  await expect(three.attached).rejects.toThrow(/is damaged/);
  await Promise.all([two.tiny.run.close(), three.tiny.run.close()]);
});

test("whose a place is can be asked without a run to mirror, and a place that does not answer is nobody's", async () => {
  const one = await mirrored();
  await one.attached;
  await one.caughtUp();
  const { run } = one.tiny.run.manifest();
  const { target } = one;
  const log = { info() {}, warn() {}, error() {} };
  const asking = () => new Mirror({ url: "https://cdn.example", target, log, clock: () => 0 });
  await asking().requireOurs(run);
  const other = "0".repeat(64) as typeof run;
  await expect(asking().requireOurs(other)).rejects.toThrow(/is the mirror of another run/);
  target.read = () => Promise.reject(new Error("it is away"));
  await asking().requireOurs(other);
  await one.mirror.close();
  await one.tiny.run.close();
});
