import { expect, test, vi } from "vitest";
import { Random } from "../model/lib/random.ts";
import type { Upload } from "../protocol/upload.ts";
import { decodeRecord } from "../server/run/record.ts";
import { copyStore } from "../server/store/copy-store.ts";
import { fileStore } from "../server/store/file-store.ts";
import type { FollowedStore } from "../server/store/followed-store.ts";
import { readOnlyStore } from "../server/store/read-only.ts";
import type { Store } from "../server/store/store.ts";
import { StoreCopy } from "../server/store/store-copy.ts";
import { verify } from "../server/verify/verify.ts";
import { MemoryFiles, PowerLoss } from "./harness/memory-files.ts";
import { memoryIndex } from "./harness/memory-index.ts";
import {
  advance,
  deltaOf,
  TestVolunteer,
  tinyCorpus,
  tinyRun,
  tinySettings,
  uploadOf,
  vectorTask,
} from "./harness/tiny-run.ts";

vi.setConfig({ testTimeout: 60_000 });
const corpus = await tinyCorpus();
const SEGMENT_BYTES = 512;
const target = (files: MemoryFiles) =>
  fileStore(files, memoryIndex(), { salt: () => 3, segmentBytes: SEGMENT_BYTES });
const verified = async (files: MemoryFiles) => verify(await readOnlyStore(files), corpus, vectorTask);

/** A run's disk after each of its first versions, at which it saves snapshots, removes older ones, and strips frames. */
const states = await (async () => {
  const settings = tinySettings({ snapshotEvery: 1, keepSnapshots: 2, keepDiffs: 2 });
  const made: MemoryFiles[] = [];
  const volunteer = await TestVolunteer.create();
  let files = new MemoryFiles();
  for (let version = 0; version < 6; version++) {
    const tiny = await tinyRun({ files, corpus, segmentBytes: SEGMENT_BYTES, settings });
    await advance(volunteer, tiny, 1);
    await tiny.run.close();
    made.push(files.restart("kill"));
    files = files.restart("kill");
  }
  return made;
})();
const last = states.at(-1) ?? new MemoryFiles();

/** Looks at the run while it is at one version. */
const LOOKS_A_VERSION = 3;

/** That run while somebody serves it: now and then it goes on as soon as it was looked at. */
async function moving(from = 0): Promise<FollowedStore> {
  let [now, looks, stripped] = [from, 0, 0];
  const at = (place: number) => readOnlyStore(states[Math.min(place, states.length - 1)] ?? last);
  let [view, live] = [await at(now), await at(now)];
  const look = async () => {
    view = live;
    stripped = 0;
    for await (const { sequence, record } of view.records()) {
      const { event, frame } = decodeRecord(record);
      if (event.type === "accepted" && frame.length === 0) stripped = sequence + 1;
    }
    now += Number(looks++ % LOOKS_A_VERSION === 0);
    live = await at(now);
  };
  await look();
  return {
    ...view,
    refresh: look,
    get stripped() {
      return stripped;
    },
    get length() {
      return view.length;
    },
    read: (sequence) => view.read(sequence),
    records: (first) => view.records(first),
    get: (shelf, name) => live.get(shelf, name),
    list: (shelf) => live.list(shelf),
  };
}

/** Passes of a life, and operations from one cut to the next: the outcomes and the parts of a write are met in turn. */
const PASSES = 8;
const STRIDE = 7;

test("a copy that is cut short at any time is a whole run, and goes on when it is started again", async () => {
  const end = await verified(last);
  let [cut, cuts] = [true, 0];
  for (let at = 0; cut; at += STRIDE) {
    cut = false;
    const files = new MemoryFiles();
    let whole = false;
    files.before = ({ number }) => {
      if (number !== at) return;
      cut = true;
      throw new PowerLoss();
    };
    try {
      const to = await target(files);
      const copy = await StoreCopy.open(await moving(), to);
      for (let pass = 0; pass < PASSES; pass++) {
        await copy.pass();
        whole = true;
      }
    } catch (error) {
      if (!cut) throw error;
    }
    const left = files.restart((["kill", "drop", new Random(at)] as const)[at % 3] ?? "kill");
    if (whole) expect((await verified(left)).version, `cut at ${at}`).toBeGreaterThan(0);
    const again = await target(left);
    await (await StoreCopy.open(await moving(states.length), again)).pass();
    await again.close();
    const { model, snapshots, diffs } = at % 5 === 0 ? await verified(left) : end;
    expect([model, snapshots, diffs]).toEqual([end.model, end.snapshots, end.diffs]);
    cuts += Number(cut);
  }
  expect(cuts).toBeGreaterThan(20);
});

test("control: a copy that takes files first and the journal as it was before is no run", async () => {
  const files = new MemoryFiles();
  const source = await moving();
  await copyStore(
    { ...source, records: source.records, length: source.length } as Store,
    await target(files),
  );
  await expect(verified(files)).rejects.toThrow(/is of no version in the journal/);
});

test("a copy is the way back: what was receipted stays, and the run goes on", async () => {
  const volunteer = await TestVolunteer.create();
  const home = await tinyRun({ corpus, segmentBytes: SEGMENT_BYTES });
  await advance(volunteer, home, 4);
  const upload: Upload = uploadOf(await volunteer.ticket(home.run), deltaOf(9));
  const receipt = await volunteer.send(home.run, upload);
  const hash = home.run.latestSnapshot().hash;
  await home.run.close();
  const files = new MemoryFiles();
  const to = await target(files);
  const source = await readOnlyStore(home.files);
  await (await StoreCopy.open({ ...source, stripped: 0, refresh: async () => {} }, to)).pass();
  await to.put("run", "server.key", (await home.files.read("server.key")) ?? new Uint8Array(), "secret");
  await to.close();
  const back = await tinyRun({ files, corpus, segmentBytes: SEGMENT_BYTES });
  expect(back.run.latestSnapshot().hash).toBe(hash);
  expect(await volunteer.send(back.run, upload)).toEqual(receipt);
  await advance(volunteer, back, 1);
  await back.run.close();
  const ahead = await target(files);
  await expect(StoreCopy.open({ ...source, stripped: 0, refresh: async () => {} }, ahead)).rejects.toThrow(
    /the copy is ahead/,
  );
  await expect(StoreCopy.open(await moving(states.length), ahead)).rejects.toThrow(/another run/);
  const other = await tinyRun({ corpus });
  const fresh = await readOnlyStore(other.files);
  await other.run.close();
  await expect(StoreCopy.open({ ...fresh, stripped: 0, refresh: async () => {} }, ahead)).rejects.toThrow(
    /ahead|another run/,
  );
});

test("of records that cannot be written none is: the next pass takes all of them", async () => {
  const files = new MemoryFiles();
  const to = await target(files);
  const copy = await StoreCopy.open(await moving(states.length - 2), to);
  let appends = 0;
  files.before = ({ kind, path }) => {
    if (kind === "append" && path.startsWith("journal") && ++appends === 2)
      throw Object.assign(new Error("ENOSPC: simulated"), { code: "ENOSPC" });
  };
  await expect(copy.pass()).rejects.toMatchObject({ code: "no-space" });
  files.before = () => {};
  await copy.pass();
  await to.close();
  expect((await verified(files)).version).toBe((await verified(last)).version);
});
