import { describe, expect, test } from "vitest";
import { Random } from "../../model/lib/random.ts";
import { concat, utf8 } from "../../protocol/bytes.ts";
import { MemoryFiles, type Operation, PowerLoss, systemError } from "../../test/harness/memory-files.ts";
import { Journal } from "./journal.ts";
import { encodeBlock } from "./segment.ts";
import { StoreError } from "./store.ts";

const SEGMENT = "journal/00000000.log";
const options = { salt: () => 11 };

const open = (files: MemoryFiles, segmentBytes?: number) =>
  Journal.open(files, segmentBytes === undefined ? options : { ...options, segmentBytes });

async function contents(journal: Journal): Promise<string[]> {
  const records: string[] = [];
  for await (const { record } of journal.records()) records.push(new TextDecoder().decode(record));
  return records;
}

/** A journal of `count` records, one block each. */
async function written(count: number, segmentBytes?: number): Promise<MemoryFiles> {
  const files = new MemoryFiles();
  const journal = await open(files, segmentBytes);
  for (let i = 0; i < count; i++) await journal.append(utf8(`record ${i}`));
  return files;
}

const names = (count: number) => Array.from({ length: count }, (_, i) => `record ${i}`);

test("what is appended while the records are read is not among them, and does not disturb", async () => {
  const journal = await open(await written(2));
  const records = journal.records();
  expect((await records.next()).value?.sequence).toBe(0);
  await journal.append(utf8("record 2"));
  expect((await records.next()).value?.sequence).toBe(1);
  expect((await records.next()).done).toBe(true);
  expect(await contents(journal)).toEqual(names(3));
});

describe("A2: a torn tail", () => {
  test("at every byte of the last block: everything before it is there, and appending goes on", async () => {
    const whole = (await (await written(3)).read(SEGMENT))!.length;
    const two = (await (await written(2)).read(SEGMENT))!.length;
    for (let length = two; length <= whole; length++) {
      const files = await written(3);
      files.cut(SEGMENT, length);
      let journal = await open(files);
      const kept = length === whole ? 3 : 2;
      expect(await contents(journal)).toEqual(names(kept));
      expect(await journal.append(utf8("next"))).toBe(kept);
      journal = await open(files.restart("drop"));
      expect(await contents(journal)).toEqual([...names(kept), "next"]);
    }
  });

  test("followed by noise that is no block is cut off", async () => {
    const files = await written(2);
    const file = await files.open(SEGMENT);
    await file.append(Uint8Array.from({ length: 99 }, (_, i) => (i % 7 === 0 ? 0x42 : i)));
    expect(await contents(await open(files))).toEqual(names(2));
    expect((await files.read(SEGMENT))!.length).toBe((await (await written(2)).read(SEGMENT))!.length);
  });

  test("a stranger's frame cannot pose as a block: it does not know the salt", async () => {
    const forged = encodeBlock(options.salt() + 1, 0, [utf8("forged")]).bytes;
    const files = await written(2);
    const journal = await open(files);
    await journal.append(concat(utf8("frame"), forged, forged));
    const { length } = (await files.read(SEGMENT))!;
    files.cut(SEGMENT, length - 1);
    expect(await contents(await open(files))).toEqual(names(2));
    // The control: with the salt it would be taken for a sound block after a torn one.
    const known = encodeBlock(options.salt(), 0, [utf8("forged")]).bytes;
    const fooled = await written(2);
    await (await open(fooled)).append(concat(utf8("frame"), known, known));
    fooled.cut(SEGMENT, (await fooled.read(SEGMENT))!.length - 1);
    await expect(open(fooled)).rejects.toThrow(StoreError);
  });
});

describe("A2: damage in the middle", () => {
  test("any flipped bit before the last block is refused", async () => {
    const last = (await (await written(2)).read(SEGMENT))!.length;
    for (let byte = 0; byte < last; byte++) {
      const files = await written(3);
      files.flip(SEGMENT, byte, byte % 8);
      await expect(open(files), `byte ${byte}`).rejects.toThrow(StoreError);
    }
  });

  test("a flipped bit in the last block is a torn tail: nothing distinguishes them", async () => {
    const files = await written(3);
    files.flip(SEGMENT, (await files.read(SEGMENT))!.length - 1, 0);
    expect(await contents(await open(files))).toEqual(names(2));
  });

  test("an older segment that is cut, missing or from elsewhere is refused", async () => {
    const damages: ((files: MemoryFiles) => Promise<void>)[] = [
      async (files) => files.cut(SEGMENT, (await files.read(SEGMENT))!.length - 1),
      async (files) => files.cut(SEGMENT, 3),
      (files) => files.remove(SEGMENT),
      (files) => files.remove("journal/00000001.log"),
      (files) => files.rename("journal/00000002.log", "journal/00000001.log"),
    ];
    for (const damage of damages) {
      const files = await written(8, 64);
      expect((await files.list("journal")).length).toBeGreaterThan(3);
      await open(files, 64);
      await damage(files);
      await expect(open(files, 64)).rejects.toThrow(StoreError);
    }
  });

  test("a file that changes while it is open is reported on the next read", async () => {
    const files = await written(3);
    const journal = await open(files);
    files.flip(SEGMENT, 50, 1);
    await expect(contents(journal)).rejects.toThrow(StoreError);
    await expect(journal.read(0)).rejects.toThrow(StoreError);
  });
});

describe("group commit", () => {
  test("many appends share few syncs, and none resolves before its own", async () => {
    const files = new MemoryFiles();
    const journal = await open(files);
    await journal.append(utf8("first"));
    const from = files.operations;
    let synced = 0;
    files.before = ({ kind }) => {
      if (kind === "sync") synced += 1;
    };
    const resolvedAt: number[] = [];
    await Promise.all(
      names(100).map((name) => journal.append(utf8(name)).then(() => resolvedAt.push(synced))),
    );
    expect(synced).toBe(2); // the first alone, the other 99 together
    expect(files.operations - from).toBe(4);
    expect(resolvedAt).toEqual([1, ...Array.from({ length: 99 }, () => 2)]);
  });
});

describe("A3: a disk that fails", () => {
  test("full: no-space for what does not fit, and on when there is room", async () => {
    const files = await written(1);
    const journal = await open(files);
    files.capacity = (await files.read(SEGMENT))!.length + 10;
    await expect(journal.append(utf8("does not fit"))).rejects.toMatchObject({ code: "no-space" });
    await expect(journal.append(utf8("nor this"))).rejects.toMatchObject({ code: "no-space" });
    expect(await contents(journal)).toEqual(names(1));
    files.capacity = Number.POSITIVE_INFINITY;
    expect(await journal.append(utf8("now"))).toBe(1);
    expect(await contents(await open(files.restart("drop")))).toEqual(["record 0", "now"]);
  });

  test("a failed fsync is not trusted twice: the bytes are written again", async () => {
    const files = await written(1);
    const journal = await open(files);
    let failures = 1;
    files.before = ({ kind }) => {
      if (kind === "sync" && failures-- > 0) throw systemError("EIO");
    };
    const refused = [journal.append(utf8("lost")), journal.append(utf8("fine"))];
    await expect(refused[0]).rejects.toMatchObject({ code: "not-durable" });
    expect(await refused[1]).toBe(1);
    expect(await contents(await open(files.restart("drop")))).toEqual(["record 0", "fine"]);
  });

  test("the control: trying only the fsync again would lose the record", async () => {
    const files = await written(1);
    const file = await files.open(SEGMENT);
    files.before = ({ kind }) => {
      if (kind === "sync") throw systemError("EIO");
    };
    await file.append(encodeBlock(11, 0, [utf8("x")]).bytes);
    await expect(file.sync()).rejects.toThrow("EIO");
    files.before = () => {};
    await file.sync();
    const { length } = (await files.read(SEGMENT))!;
    expect((await files.restart("drop").read(SEGMENT))!.length).toBeLessThan(length);
  });

  test("each operation failing once, in turn: never a record lost that was acknowledged", async () => {
    for (const error of ["EIO", "ENOSPC"] as const) {
      for (let failing = 0; ; failing++) {
        const files = new MemoryFiles();
        let failed: Operation | undefined;
        files.before = (operation) => {
          if (operation.number !== failing) return;
          failed = operation;
          throw systemError(error);
        };
        const acknowledged: string[] = [];
        const journal = await open(files, 96).catch(() => open(files, 96));
        for (const name of names(8)) {
          await journal.append(utf8(name)).then(
            () => acknowledged.push(name),
            () => {},
          );
        }
        const found = await contents(await open(files.restart("drop"), 96));
        expect(found, `${error} at ${JSON.stringify(failed)}`).toEqual(acknowledged);
        expect(acknowledged.length).toBeGreaterThanOrEqual(7);
        if (failed === undefined) break;
      }
    }
  });
});

describe("power loss", () => {
  /** Appends until the power goes at operation `at`; returns the disk and what was acknowledged. */
  async function cutAt(at: number): Promise<{ files: MemoryFiles; acknowledged: string[]; cut: boolean }> {
    const files = new MemoryFiles();
    let cut = false;
    files.before = ({ number }) => {
      if (number !== at) return;
      cut = true;
      throw new PowerLoss();
    };
    const acknowledged: string[] = [];
    try {
      const journal = await open(files, 120);
      for (let i = 0; i < 9 && !cut; i += 3) {
        const group = names(9).slice(i, i + 3);
        await Promise.all(
          group.map((name) =>
            journal.append(utf8(name)).then(
              () => acknowledged.push(name),
              () => {},
            ),
          ),
        );
        if (i === 3) await journal.strip(journal.length, (record) => record);
      }
    } catch (error) {
      if (!cut) throw error;
    }
    return { files, acknowledged, cut };
  }

  test("at every operation, whatever the disk had got to: all that was acknowledged, in order", async () => {
    for (let at = 0; ; at++) {
      const { files, acknowledged, cut } = await cutAt(at);
      const outcomes = ["kill", "drop", ...Array.from({ length: 12 }, (_, i) => new Random(at * 100 + i))];
      for (const survivors of outcomes as ("kill" | "drop" | Random)[]) {
        const after = files.restart(survivors);
        let journal = await open(after, 120);
        const found = await contents(journal);
        expect(found.slice(0, acknowledged.length), `cut at ${at}`).toEqual(acknowledged);
        expect(found).toEqual(names(9).slice(0, found.length));
        // What was found stays, even if the power goes again at once.
        journal = await open(after.restart("drop"), 120);
        expect(await contents(journal)).toEqual(found);
        await journal.append(utf8("on"));
        expect(await contents(journal)).toEqual([...found, "on"]);
      }
      if (!cut) {
        expect(acknowledged).toHaveLength(9);
        break;
      }
    }
  });
});
