import { expect, it } from "vitest";
import type { MergedEntry, VersionRecord } from "../../protocol/history.ts";
import { Records } from "./records.ts";

/** Records of so many deltas, and how often each was read. */
function counted(deltas: number, most?: number) {
  const reads = new Map<number, number>();
  const merged = new Array<MergedEntry>(deltas);
  const records = new Records(async (version) => {
    reads.set(version, (reads.get(version) ?? 0) + 1);
    if (version > 9) throw new Error("not published");
    return { version, merged } as unknown as VersionRecord;
  }, most);
  return { records, reads };
}

it("A37: a record is read once for all who ask, at once or later; the control: each version's is", async () => {
  const { records, reads } = counted(1_000);
  await Promise.all(Array.from({ length: 500 }, () => records.of(1)));
  for (let asked = 0; asked < 500; asked++) expect((await records.of(1)).version).toBe(1);
  await records.of(2);
  expect([...reads]).toEqual([
    [1, 1],
    [2, 1],
  ]);
});

it("A37: those used last are kept, as far as there is room for their deltas", async () => {
  const { records, reads } = counted(9, 30);
  for (const version of [1, 2, 3, 1, 4, 1, 2]) await records.of(version);
  expect([...reads.values()]).toEqual([1, 2, 1, 1]);
  const { records: large, reads: again } = counted(31, 30);
  for (let asked = 0; asked < 3; asked++) await large.of(1);
  expect(again.get(1)).toBe(3);
  for (const version of [1, 2, 3]) await Promise.all([large.of(version), large.of(version)]);
  expect([again.get(2), again.get(3)]).toEqual([1, 1]);
});

it("one that is not published yet is asked for again", async () => {
  const { records, reads } = counted(1);
  await expect(records.of(10)).rejects.toThrow("not published");
  await expect(records.of(10)).rejects.toThrow("not published");
  expect(reads.get(10)).toBe(2);
});
