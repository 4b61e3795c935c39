/**
 * Text that grows: a run takes in more text at a version's boundary, keeps what was held out, and verifies from its
 * genesis. Real directories and a real model, as small as they come.
 */
import { execFile, spawnSync } from "node:child_process";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { initialWeights } from "../model/contract/init.ts";
import { type Hash, shardName } from "../protocol/ids.ts";
import { measuringData, measuringThreads } from "../server/app/language-evaluator.ts";
import { addTextOffline } from "../server/app/offline-text.ts";
import { type OpenDirectory, openDirectory } from "../server/app/open-directory.ts";
import { openCorpus } from "../server/app/run-corpus.ts";
import { verifyDirectory } from "../server/cli/verify.ts";
import { addCorpus, addText } from "../server/corpus/add.ts";
import { type Disk, nodeDisk } from "../server/corpus/disk.ts";
import { readCorpus } from "../server/corpus/shards.ts";
import { copyRun } from "../server/data-dir/copy.ts";
import type { Run } from "../server/run/run.ts";
import { parseSettings } from "../server/run/settings.ts";
import { failure, prose, quickDisk, temporary } from "./corpus-fixture.ts";
import { publishSmall } from "./harness/small-version.ts";
import { silentLog, TestVolunteer, until } from "./harness/tiny-run.ts";

const SETTINGS = parseSettings({
  model: { layers: 1, heads: 1, width: 8, context: 16 },
  evaluateWindows: 4,
  ...{ batch: 1, rounds: { seconds: 0.1, batch: 1 }, steps: 1, warmupTokens: 0, quorum: 1 },
  trust: { auditShare: 0 },
});
const volunteer = await TestVolunteer.create();

async function begun(directory: string) {
  const data = join(directory, "data");
  await writeFile(join(directory, "first.txt"), prose(20_000));
  await addCorpus({ files: [join(directory, "first.txt")], dataDir: data, vocabulary: 256, context: 16 });
  const opened = await openDirectory(data, { settings: SETTINGS, log: silentLog, stderr: { write() {} } });
  return { data, opened, run: runOf(opened) };
}

const open = (data: string) => openDirectory(data, { log: silentLog, stderr: { write() {} } });
const runOf = ({ run }: OpenDirectory): Run => run ?? expect.fail("there is no run");

const add = async (data: string, text: string, disk: Disk = quickDisk, more: object = {}) => {
  const file = join(data, "..", "more.txt");
  await writeFile(file, text);
  return addTextOffline({ files: [file], dataDir: data, vocabulary: 256, disk, ...more });
};

/** The run has taken so many texts in. */
const taken = (run: Run, texts: number) => until(() => (run.status().added?.texts ?? 0) === texts);

async function shardsOf(run: Run, versions: number): Promise<Set<Hash>> {
  const shards = new Set<Hash>();
  for (let i = 0; i < versions; i++) shards.add((await publishSmall(run, volunteer)).shard);
  return shards;
}

const lists = async (data: string) => {
  const { index, added } = await readCorpus(data);
  return [index, ...added.map((one) => one.index)].map(({ splits }) => splits);
};

describe("text that is added to a run", () => {
  it("comes in twice, is trained on, keeps what was held out, and the run verifies from its genesis, as does a backup", async () => {
    await using directory = await temporary();
    const { data, opened, run } = await begun(directory.path);
    await shardsOf(run, 3);
    await expect(failure(add(data, prose(20_000, 2)))).resolves.toMatchObject({ code: "in-use" });
    await opened.close();
    const before = await readFile(join(data, "corpus.json"), "utf8");
    const { run: id } = await verifyDirectory(data);

    await add(data, prose(20_000, 2), quickDisk, { weights: [3] });
    const second = await open(data);
    await taken(runOf(second), 1);
    expect(runOf(second).status().version).toBe(3);
    const [first, added] = await lists(data);
    expect(await shardsOf(runOf(second), 8)).toEqual(
      new Set([...first!.train, ...added!.train].map(({ hash }) => hash)),
    );
    // A volunteer fetches the new text as any other; what is held out of it is nobody's.
    expect((await runOf(second).shard(added!.train[0]!.hash)).length).toBe(2 * added!.train[0]!.tokens);
    expect((await runOf(second).chunks(shardName(added!.train[0]!.hash))).object).toContain(
      added!.train[0]!.hash,
    );
    for (const hidden of [...added!.heldOut, ...added!.gate]) {
      await expect(runOf(second).shard(hidden.hash)).rejects.toMatchObject({ code: "not-found" });
    }
    await until(() => runOf(second).status().heldOut.at(-1)?.added !== undefined);
    await second.close();

    await add(data, prose(20_000, 3));
    const third = await open(data);
    await shardsOf(runOf(third), 3);
    const status = runOf(third).status();
    expect(status.added?.texts).toBe(2);
    await third.close();

    expect(await readFile(join(data, "corpus.json"), "utf8")).toBe(before);
    const verified = await verifyDirectory(data);
    expect(verified).toMatchObject({ run: id, version: status.version, model: status.modelHash });
    await copyRun(data, join(directory.path, "copy"), "copy", async (copy) => {
      expect(await verifyDirectory(copy)).toEqual(verified);
    });
    // Without its list a text that came in is missing, and the run says so.
    await rm(join(data, "added", "2.json"));
    await expect(verifyDirectory(data)).rejects.toThrow(/text 2 that was added to this run/);
    await expect(open(data)).rejects.toThrow(/text 2 that was added to this run/);
  });

  it("leaves the loss on what was held out as it is, and measures the new text beside it", async () => {
    await using directory = await temporary();
    const { data, opened } = await begun(directory.path);
    await opened.close();
    const weights = initialWeights({ ...SETTINGS.model, vocabulary: 256 }, 1);
    const measured = async () => {
      const opened = await openCorpus(data);
      const { evaluator } = measuringThreads(measuringData(opened, [], () => SETTINGS));
      const { loss, added } = await evaluator.evaluate(0, weights.slice());
      await evaluator.close();
      return { loss, added };
    };
    const before = await measured();
    await add(data, prose(20_000, 2));
    const after = await measured();
    expect(after.loss).toBe(before.loss);
    expect(before.added).toBeUndefined();
    expect(after.added).toBeGreaterThan(0);
    expect(after.added).not.toBe(after.loss);
  });

  it("leaves out passages that the run has, whatever their case and spacing, and what is held out above all", async () => {
    await using directory = await temporary();
    const { data, opened } = await begun(directory.path);
    await opened.close();
    const known = (await readFile(join(directory.path, "first.txt"), "utf8"))
      .toUpperCase()
      .replaceAll(" ", "  ");
    const fresh = prose(20_000, 2);
    const both = `${known}\n\n${fresh}`;
    const kept = await add(data, both, quickDisk, { duplicates: "keep" });
    await rm(join(data, "added"), { recursive: true });
    const { duplicates, bytes } = await add(data, both);
    expect(duplicates?.passages).toBe(kept.duplicates?.passages);
    expect(duplicates?.passages).toBeGreaterThan(30);
    expect(bytes).toBeLessThan(1.15 * Buffer.byteLength(fresh));
    expect(kept.bytes).toBe(Buffer.byteLength(both));
    // The same once more: what is left are the few pieces where the first split cut a paragraph in two.
    expect((await add(data, both)).bytes).toBeLessThan(0.1 * Buffer.byteLength(both));
  });

  it("killed at any change of a file leaves a run that opens and verifies, with all of the text or none", async () => {
    await using directory = await temporary();
    const { data, opened } = await begun(directory.path);
    await opened.close();
    await writeFile(join(directory.path, "more.txt"), prose(4_000, 2));
    const more = { files: [join(directory.path, "more.txt")], context: 16 };
    let whole = 0;
    let points = 0;
    for (; whole === 0; points++) {
      const copy = join(directory.path, String(points), "data");
      await mkdir(join(copy, ".."));
      await copyRun(data, copy, "link", async () => {});
      const { disk, stopped } = stopping(points);
      const ended = await Promise.race([
        stopped,
        addText({ ...more, dataDir: copy, disk }).then(() => false),
      ]);
      if (ended) await abandon(copy);
      const state = await readCorpus(copy);
      if (state.added.length > 0) whole += 1;
      if (!ended || points % 16 === 8 || whole > 0) {
        const after = await open(copy);
        await taken(runOf(after), state.added.length);
        await after.close();
        expect((await verifyDirectory(copy)).version).toBe(0);
      }
    }
    expect(points).toBeGreaterThan(8);
  });
});

it("a run made by commit 640d1c0, before texts could grow, takes more in and verifies as before", async () => {
  await using directory = await temporary();
  const fixture = join(import.meta.dirname, "fixtures/run-2026-11.tar.gz");
  await promisify(execFile)("tar", ["-xzf", fixture, "-C", directory.path]);
  const data = join(directory.path, "data");
  const before = await verifyDirectory(data);
  await add(data, prose(6_000, 2));
  const opened = await open(data);
  await taken(runOf(opened), 1);
  await opened.close();
  expect(await verifyDirectory(data)).toEqual(before);
});

/** A disk that stops for good at its n-th change, as if the process were killed. */
function stopping(at: number): { readonly disk: Disk; readonly stopped: Promise<true> } {
  const { promise, resolve } = Promise.withResolvers<true>();
  let changes = 0;
  const change = async () => {
    if (changes++ !== at) return;
    resolve(true);
    await new Promise(() => {});
  };
  const disk: Disk = {
    async create(path) {
      await change();
      return quickDisk.create(path);
    },
    async rename(from, to) {
      await change();
      await nodeDisk.rename(from, to);
    },
  };
  return { disk, stopped: promise };
}

/** The workspace is named after this process, which lives: as if it were another's. */
async function abandon(data: string): Promise<void> {
  const dead = spawnSync(process.execPath, ["--version"]).pid;
  for (const name of (await readdir(data)).filter((one) => one.startsWith(".adding-"))) {
    await rename(join(data, name), join(data, name.replace(`-${process.pid}-`, `-${dead}-`)));
  }
}
