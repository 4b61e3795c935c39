import { expect, it } from "vitest";
import { lengthOf, type Pieces } from "../../protocol/bytes.ts";
import { GroupCommit, MAX_GROUP_BYTES } from "./group-commit.ts";

/** A disk whose writes wait until the test ends them. */
function disk() {
  const writes: { records: readonly Pieces[]; end: (error?: Error) => void }[] = [];
  let length = 0;
  const commits = new GroupCommit(
    (records) =>
      new Promise((resolve, reject) => {
        const end = (error?: Error) => {
          if (error !== undefined) return reject(error);
          resolve(length);
          length += records.length;
        };
        writes.push({ records, end });
      }),
  );
  return { writes, commits };
}
const record = (bytes = 1) => new Uint8Array(bytes);
const settled = () => new Promise((resolve) => setImmediate(resolve));

it("gathers what arrives during a write into the next one, and numbers records in order", async () => {
  const { writes, commits } = disk();
  const appended = [record(), record(), record()].map((one) => commits.append(one));
  expect(writes.map(({ records }) => records.length)).toEqual([1]);
  writes[0]!.end();
  await settled();
  expect(writes.map(({ records }) => records.length)).toEqual([1, 2]);
  writes[1]!.end();
  expect(await Promise.all(appended)).toEqual([0, 1, 2]);
  await commits.idle();
});

it("refuses the whole group of a write that fails, and tries the next group", async () => {
  const { writes, commits } = disk();
  const first = commits.append(record());
  const second = commits.append(record());
  writes[0]!.end(new Error("the disk is gone"));
  await expect(first).rejects.toThrow("the disk is gone");
  await settled();
  writes[1]!.end();
  expect(await second).toBe(0);
});

it("limits a group's bytes, and writes a record that is larger alone", async () => {
  const { writes, commits } = disk();
  const sizes = [1, MAX_GROUP_BYTES, 1, 1, 2 * MAX_GROUP_BYTES, 1];
  const appended = sizes.map((bytes) => commits.append(record(bytes)));
  for (let n = 0; n < writes.length; n++) {
    writes[n]!.end();
    await settled();
  }
  expect(writes.map(({ records }) => records.map(lengthOf))).toEqual([
    [1],
    [MAX_GROUP_BYTES],
    [1, 1],
    [2 * MAX_GROUP_BYTES],
    [1],
  ]);
  expect(await Promise.all(appended)).toEqual([0, 1, 2, 3, 4, 5]);
});
