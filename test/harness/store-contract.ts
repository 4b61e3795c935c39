import { expect, test } from "vitest";
import { utf8 } from "../../protocol/bytes.ts";
import { splitRecord } from "../../server/store/record-parts.ts";
import { Deposed, type Store } from "../../server/store/store.ts";

const text = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes);

/** The records' heads and, behind a bar, their frames. */
export async function recordsOf(store: Store): Promise<string[]> {
  const records: string[] = [];
  for await (const { sequence, record } of store.records()) {
    expect(sequence).toBe(records.length);
    records.push(shown(record));
  }
  return records;
}

function shown(record: Uint8Array<ArrayBuffer>): string {
  const { head, frame } = splitRecord(record);
  return frame.length === 0 ? text(head)! : `${text(head)}|${text(frame)}`;
}

/** What a store that outlives its process gives the next one. */
export interface Reopening {
  /** After the first has closed. */
  readonly reopen: (store: Store) => Promise<Store>;
  /** While the first goes on. */
  readonly takeOver: (store: Store) => Promise<Store>;
}

/** What every Store promises (server/store/store.ts). `open` gives an empty store. */
export function storeContract(open: () => Promise<Store>, next?: Reopening): void {
  test("records come back in order, whole, by number", async () => {
    const store = await open();
    expect(await recordsOf(store)).toEqual([]);
    expect(await store.append(utf8("a"))).toBe(0);
    expect(await store.append(utf8(""))).toBe(1);
    expect(await store.append(utf8("ccc"), utf8("frame"))).toBe(2);
    expect(store.length).toBe(3);
    expect(await recordsOf(store)).toEqual(["a", "", "ccc|frame"]);
    expect(shown(await store.read(2))).toBe("ccc|frame");
    expect(shown(await store.read(1))).toBe("");
    await expect(store.read(3)).rejects.toThrow("no record 3");
    await store.close();
  });

  test("records appended at once are numbered in call order", async () => {
    const store = await open();
    const names = Array.from({ length: 50 }, (_, i) => `record ${i}`);
    const numbers = await Promise.all(names.map((name) => store.append(utf8(name))));
    expect(numbers).toEqual(names.map((_, i) => i));
    expect(await recordsOf(store)).toEqual(names);
    await store.close();
  });

  test("a record is what it was when it was appended", async () => {
    const store = await open();
    const [head, frame] = [utf8("before"), utf8("frame")];
    await store.append(head, frame);
    head.set(utf8("after!"));
    frame.fill(0);
    expect(await recordsOf(store)).toEqual(["before|frame"]);
    await store.close();
  });

  test("stripping takes old frames, and keeps heads, numbers and what comes after", async () => {
    const store = await open();
    for (let i = 0; i < 9; i++) await store.append(utf8(`head${i}`), utf8("frame"));
    await store.strip(5);
    const records = await recordsOf(store);
    expect(records.map((record) => record.slice(0, 5))).toEqual(records.map((_, i) => `head${i}`));
    for (let i = 5; i < 9; i++) expect(shown(await store.read(i))).toBe(`head${i}|frame`);
    expect(await store.append(utf8("next"))).toBe(9);
    await store.strip(5); // again is fine
    expect(await recordsOf(store)).toEqual([...records, "next"]);
    await store.close();
  });

  test("objects are put, replaced, listed and removed by shelf", async () => {
    const store = await open();
    expect(await store.get("diffs", "1")).toBeUndefined();
    await store.put("diffs", "1", utf8("one"));
    await store.put("diffs", "0", utf8("nil"));
    await store.put("snapshots", "1", utf8("whole"));
    await store.put("run", "server.key", utf8("key"), "secret");
    expect(text(await store.get("diffs", "1"))).toBe("one");
    expect(text(await store.get("run", "server.key"))).toBe("key");
    await store.put("diffs", "1", utf8("two"));
    expect(text(await store.get("diffs", "1"))).toBe("two");
    expect(await store.list("diffs")).toEqual(["0", "1"]);
    expect(await store.list("snapshots")).toEqual(["1"]);
    await store.remove("diffs", "1");
    await store.remove("diffs", "1");
    expect(await store.get("diffs", "1")).toBeUndefined();
    expect(text(await store.get("snapshots", "1"))).toBe("whole");
    await store.close();
  });

  test("appends and other writes at once do not take each other for another writer's", async () => {
    const store = await open();
    const writes = Array.from({ length: 30 }, (_, i) => [
      store.append(utf8(`record ${i}`), utf8("frame")),
      store.put("diffs", `${i}`, utf8("diff")),
      store.remove("diffs", `${i - 5}`),
    ]);
    await Promise.all(writes.flat());
    expect([store.length, store.deposed.aborted]).toEqual([30, false]);
    await store.close();
  });

  if (next === undefined) return;
  const { reopen, takeOver } = next;

  test("a writer that another has followed is deposed: it appends, replaces and removes nothing more", async () => {
    const first = await open();
    await first.append(utf8("0"), utf8("frame"));
    await first.put("snapshots", "old", utf8("whole"));
    await first.put("run", "people.json", utf8("first"));
    const second = await takeOver(first);
    expect(await second.append(utf8("1"))).toBe(1);
    await second.put("snapshots", "new", utf8("whole"));
    await second.put("run", "people.json", utf8("second"));
    expect(first.deposed.aborted).toBe(false); // it has not looked yet
    const late = await Promise.allSettled([
      ...[first.append(utf8("zombie")), first.append(utf8("zombie too"))],
      ...[first.put("run", "people.json", utf8("first")), first.remove("snapshots", "old")],
    ]);
    for (const write of late)
      expect(write).toMatchObject({ status: "rejected", reason: expect.any(Deposed) });
    await expect(first.append(utf8("again"))).rejects.toMatchObject({ code: "not-durable" });
    await expect(first.strip(1)).rejects.toThrow(Deposed);
    expect(first.deposed.aborted).toBe(true);
    await first.close();
    expect(await second.append(utf8("2"))).toBe(2);
    expect(second.deposed.aborted).toBe(false);
    expect(await recordsOf(second)).toEqual(["0|frame", "1", "2"]);
    expect(await second.list("snapshots")).toEqual(["new", "old"]);
    expect(text(await second.get("run", "people.json"))).toBe("second");
    const third = await reopen(second);
    expect(await recordsOf(third)).toEqual(["0|frame", "1", "2"]);
    await third.close();
  });

  test("of two writers that append at once, one is deposed, and no record of the other is lost", async () => {
    const first = await open();
    await first.append(utf8("0"));
    const second = await takeOver(first);
    const kept: string[] = ["0"];
    for (let i = 1; i < 9; i++) {
      for (const store of i % 3 === 0 ? [second, first] : [first, second]) {
        const name = `${i} ${store === first ? "first" : "second"}`;
        await store.append(utf8(name)).then(
          () => kept.push(name),
          () => {},
        );
      }
    }
    expect([first.deposed.aborted, second.deposed.aborted].filter(Boolean)).toHaveLength(1);
    await Promise.all([first.close(), second.close()]);
    const third = await reopen(first);
    expect(await recordsOf(third)).toEqual(kept);
    expect(kept).toHaveLength(9);
    await third.close();
  });

  test("another process finds everything", async () => {
    let store = await open();
    for (let round = 0; round < 3; round++) {
      await Promise.all([0, 1, 2].map((i) => store.append(utf8(`${round}.${i}`))));
      await store.put("snapshots", String(round), utf8(`snapshot ${round}`));
      store = await reopen(store);
      expect(store.length).toBe(3 * (round + 1));
    }
    expect(await recordsOf(store)).toEqual([0, 1, 2].flatMap((r) => [0, 1, 2].map((i) => `${r}.${i}`)));
    expect(await store.list("snapshots")).toEqual(["0", "1", "2"]);
    await store.strip(9);
    store = await reopen(store);
    expect(store.length).toBe(9);
    expect(await store.append(utf8("x"))).toBe(9);
    await store.close();
  });
}
