import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { prose } from "../../test/corpus-fixture.ts";
import { silentLog } from "../../test/harness/tiny-run.ts";
import { openDirectory } from "../app/open-directory.ts";
import { addCorpus } from "../corpus/add.ts";
import { type Disk, nodeDisk } from "../corpus/disk.ts";
import { takeBackAbandoned } from "../corpus/workspace.ts";
import { kindOf } from "./directory.ts";
import { beginFirstStart, FIRST_START_FILE } from "./first-start.ts";

let directory: string;
let text: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "murmuration-first-"));
  text = join(directory, "text.txt");
  await writeFile(text, prose(15_000));
});
afterEach(() => rm(directory, { recursive: true }));

const add = (dataDir: string, disk: Disk = nodeDisk) =>
  addCorpus({ files: [text], dataDir, vocabulary: 256, context: 16, disk });
const open = (data: string) => openDirectory(data, { log: silentLog, stderr: { write() {} } });

it("a first start killed between its corpus and its run goes on; control: a corpus that somebody added waits for its run", async () => {
  const [begun, added] = [join(directory, "begun"), join(directory, "added")];
  for (const data of [begun, added]) await add(data);
  await beginFirstStart(begun);
  const first = await open(begun);
  expect(first.run?.status().version).toBe(0);
  expect(await readdir(begun)).not.toContain(FIRST_START_FILE);
  await first.close();
  const control = await open(added);
  expect(control.run).toBeUndefined();
  await control.close();
});

/** The id of a process that has ended. */
const DEAD = spawnSync(process.execPath, ["--version"]).pid;

/** A disk that stops for good at its n-th change, as if the process were killed; says when. */
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
      const file = await nodeDisk.create(path);
      return {
        async write(bytes) {
          await change();
          await file.write(bytes);
        },
        close: (durable) => file.close(durable),
      };
    },
    async rename(from, to) {
      await change();
      await nodeDisk.rename(from, to);
      await change();
    },
  };
  return { disk, stopped: promise };
}

it("a corpus whose making was killed at any change of a file can be made again, and the directory is empty or has it whole", async () => {
  let points = 0;
  for (; ; points++) {
    const data = join(directory, String(points));
    const { disk, stopped } = stopping(points);
    const ended = await Promise.race([stopped, add(data, disk).then(() => false)]);
    if (!ended) break;
    // The workspace is named after this process, which lives: as if it were another's.
    for (const name of (await readdir(data)).filter((one) => one.startsWith(".adding-"))) {
      await rename(join(data, name), join(data, name.replace(`-${process.pid}-`, `-${DEAD}-`)));
    }
    await takeBackAbandoned(data);
    if ((await kindOf(data)) === "ours") continue; // corpus.json was there already: all of it is
    expect(await kindOf(data), `killed at change ${points}`).toBe("empty");
    await add(data);
    expect(await kindOf(data)).toBe("ours");
  }
  expect(points).toBeGreaterThan(10);
});
