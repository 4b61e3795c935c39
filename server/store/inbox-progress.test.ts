import { expect, test } from "vitest";
import { InboxProgress } from "./inbox-progress.ts";

/** A journal that has all up to message 4. */
function world() {
  const progress = new InboxProgress(4);
  const record = (seq: number, taken = 4) => {
    const record = [new Uint8Array([seq])];
    progress.note(record, { seq, taken });
    return record;
  };
  /** What a block of these records says, and how it ends; it is stored unless a test says otherwise. */
  const write = (records: Uint8Array[][], stored = Promise.resolve()) => {
    let said = Number.NaN;
    const ended = progress.write(records, (taken) => {
      said = taken;
      return stored;
    });
    return { said, ended };
  };
  return { progress, record, write };
}

test("a block says that all up to its newest message is there, where that is so once it is stored", async () => {
  const { record, write } = world();
  const [five, six, seven] = [record(5), record(6), record(7)];
  const never = Promise.withResolvers<void>().promise;
  expect(write([[new Uint8Array()]], never).said).toBe(4);
  expect(write([six, seven], never).said, "5 may not be stored").toBe(4);
  expect(write([five, six], never).said, "both, or none").toBe(6);
  await write([five]).ended;
  expect(write([six, seven]).said).toBe(7);
});

test("one that could not be written holds back what a block says, until it is written after all", async () => {
  const { record, write } = world();
  const [five, six] = [record(5), record(6)];
  await expect(write([five], Promise.reject(new Error("full"))).ended).rejects.toThrow("full");
  const sixth = write([six]);
  await sixth.ended;
  expect(sixth.said).toBe(4);
  const again = write([record(5)]);
  expect(again.said).toBe(5);
  await again.ended;
  record(7, 6);
  expect(write([[new Uint8Array()]]).said).toBe(6);
});
