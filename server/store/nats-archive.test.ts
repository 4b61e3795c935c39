import { expect, test, vi } from "vitest";
import { concat, type Pieces, partsOf, utf8 } from "../../protocol/bytes.ts";
import { NatsArchive } from "./nats-archive.ts";

/** Objects in memory; `losesAnswers`: what is put is stored, and its writer does not hear of it. */
function memory() {
  const kept = new Map<string, Uint8Array<ArrayBuffer>>();
  const objects = {
    losesAnswers: false,
    list: async (shelf: string) =>
      [...kept.keys()]
        .filter((name) => name.startsWith(`${shelf}/`))
        .map((name) => name.slice(shelf.length + 1)),
    get: async (name: string) => kept.get(name),
    async put(name: string, bytes: Pieces) {
      kept.set(name, concat(...partsOf(bytes)));
      if (objects.losesAnswers) throw new Error("timeout");
    },
    async remove(name: string) {
      kept.delete(name);
    },
  };
  return { kept, objects };
}

const lose = (kept: Map<string, unknown>, numbers: string) => {
  for (const name of kept.keys()) if (name.startsWith(`archive/${numbers}`)) kept.delete(name);
};
const records = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => utf8(`{"record":${from + i}}\n`));
/** Archives records after those that an archive has. */
const add = (archive: NatsArchive, more: readonly Uint8Array[]) => {
  const first = archive.length;
  return archive.extend(first + more.length, (sequence) => more[sequence - first]!);
};
const numbersIn = async (archive: NatsArchive) => {
  const found: string[] = [];
  for (let i = 0; i < archive.length; i++) found.push(Buffer.from(await archive.record(i)).toString());
  return found;
};

test("an archive opens with a part whose answer was lost, and with the longer one that its writer made instead", async () => {
  const { objects } = memory();
  const archive = await NatsArchive.open(objects);
  await add(archive, records(0, 2));
  objects.losesAnswers = true;
  await expect(add(archive, records(2, 4))).rejects.toThrow("timeout");
  objects.losesAnswers = false;
  expect(archive.length).toBe(2);
  await add(archive, records(2, 6)); // which begins where the lost one did
  await add(archive, records(6, 7));
  const again = await NatsArchive.open(objects);
  expect(again.length).toBe(7);
  expect(await numbersIn(again)).toEqual(await numbersIn(archive));
});

test("an archive opens where the next writer went on from the part whose answer was lost", async () => {
  const { objects } = memory();
  const archive = await NatsArchive.open(objects);
  objects.losesAnswers = true;
  await expect(add(archive, records(0, 4))).rejects.toThrow("timeout");
  objects.losesAnswers = false;
  await add(await NatsArchive.open(objects), records(4, 5));
  await add(archive, records(0, 3)); // of the first writer, which was deposed by then
  expect((await NatsArchive.open(objects)).length).toBe(5);
});

test("the control: a part that is missing is a gap, and nobody goes on over it", async () => {
  const { kept, objects } = memory();
  const archive = await NatsArchive.open(objects);
  for (const [from, to] of [
    [0, 2],
    [2, 4],
    [4, 5],
  ] as const)
    await add(archive, records(from, to));
  lose(kept, "000000000000002-000000000000004");
  await expect(NatsArchive.open(objects)).rejects.toThrow("the journal's archive has a gap before record 4");
});

test("parts are joined as they come: few are there at any time, each record is copied a few times, none changes", async () => {
  const { kept, objects } = memory();
  const copied = vi.spyOn(objects, "put");
  const archive = await NatsArchive.open(objects);
  let most = 0;
  const parts = 400;
  for (let i = 0; i < parts; i++) {
    await add(archive, records(3 * i, 3 * i + 3));
    await archive.join();
    most = Math.max(most, kept.size);
  }
  expect(most).toBeLessThan(48);
  expect(copied.mock.calls.length).toBeLessThan(parts * 1.1);
  const again = await NatsArchive.open(objects);
  expect(again.length).toBe(3 * parts);
  const numbers = Array.from({ length: 3 * parts }, (_, i) => `{"record":${i}}\n`);
  expect(await numbersIn(again)).toEqual(numbers);
  expect(await numbersIn(archive)).toEqual(numbers);
});

test("who reads while another joins finds what was moved; control: a part that is nowhere is missed", async () => {
  const { kept, objects } = memory();
  const archive = await NatsArchive.open(objects);
  for (let i = 0; i < 15; i++) await add(archive, records(i, i + 1));
  const reader = await NatsArchive.open(objects);
  await add(archive, records(15, 16));
  await archive.join();
  expect([...kept.keys()]).toEqual([expect.stringMatching(/^archive\/0{15}-0{13}16-[0-9a-f]{8}$/)]);
  expect(Buffer.from(await reader.record(3)).toString()).toBe('{"record":3}\n');
  kept.clear();
  await expect((await NatsArchive.open(objects)).record(3)).rejects.toThrow("no record 3");
});

test("who asks for a record here and one there has each part brought once, also where several ask at a time", async () => {
  const { objects } = memory();
  const archive = await NatsArchive.open(objects);
  for (const from of [0, 10, 20]) await add(archive, records(from, from + 10));
  const brought = vi.spyOn(objects, "get");
  for (let i = 0; i < 10; i++)
    await Promise.all([i, i + 10, i + 20, 29 - i].map((sequence) => archive.record(sequence)));
  expect(brought).toHaveBeenCalledTimes(3);
  // What failed is asked for again.
  const other = await NatsArchive.open(objects);
  brought.mockRejectedValueOnce(new Error("timeout"));
  await expect(other.record(0)).rejects.toThrow("timeout");
  expect(Buffer.from(await other.record(0)).toString()).toBe('{"record":0}\n');
});

test("joining that is interrupted, before or after the long part is there, loses nothing and is done again", async () => {
  const { kept, objects } = memory();
  const archive = await NatsArchive.open(objects);
  for (let i = 0; i < 16; i++) await add(archive, records(i, i + 1));
  objects.losesAnswers = true;
  await expect(archive.join()).rejects.toThrow("timeout");
  objects.losesAnswers = false;
  expect(kept.size).toBe(17);
  expect(archive.length).toBe(16);
  for (const one of [archive, await NatsArchive.open(objects)]) expect(await numbersIn(one)).toHaveLength(16);
  const other = await NatsArchive.open(objects);
  await Promise.all([archive.join(), other.join()]);
  // Of two writers neither has replaced or removed the other's.
  expect(kept.size).toBeGreaterThan(0);
  for (const one of [archive, await NatsArchive.open(objects)]) expect(await numbersIn(one)).toHaveLength(16);
  // Small parts that are lost while they are joined are no reason to make a long one that lacks them.
  for (let i = 16; i < 32; i++) await add(archive, records(i, i + 1));
  lose(kept, "000000000000020-000000000000021");
  await expect(archive.join()).rejects.toThrow("gap before record 21");
  const list = await objects.list("archive");
  objects.list = async () => [...list, "000000000000020-000000000000021"]; // a name without bytes
  await expect(archive.join()).rejects.toThrow("lost");
});

test("who leads goes on joining where another, which woke, has joined and removed its parts", async () => {
  const { objects } = memory();
  const woken = await NatsArchive.open(objects);
  for (let i = 0; i < 16; i++) await add(woken, records(i, i + 1));
  const leader = await NatsArchive.open(objects);
  await woken.join();
  for (let i = 16; i < 300; i++) {
    await add(leader, records(i, i + 1));
    await leader.join();
  }
  for (const one of [leader, await NatsArchive.open(objects)]) expect(await numbersIn(one)).toHaveLength(300);
});

test("an archive opens where two servers have cut their parts elsewhere, and each has removed what its long one covers", async () => {
  const { kept, objects } = memory();
  const leader = await NatsArchive.open(objects);
  await add(leader, records(0, 10));
  const woken = await NatsArchive.open(objects);
  for (let i = 0; i < 15; i++) await add(leader, records(10 + 2 * i, 12 + 2 * i)); // up to 40
  for (let i = 0; i < 15; i++) await add(woken, records(10 + 3 * i, 13 + 3 * i)); // up to 55
  await woken.join();
  expect([...kept.keys()].map((name) => name.slice(0, 39))).toEqual([
    "archive/000000000000000-000000000000055",
  ]);
  for (let i = 40; i < 60; i += 2) await add(leader, records(i, i + 2)); // none begins where the woken one's ends
  const expected = Array.from({ length: 60 }, (_, i) => `{"record":${i}}\n`);
  const next = await NatsArchive.open(objects);
  expect(await numbersIn(next)).toEqual(expected);

  // And where a long part ends between two cuts of the other's.
  const other = memory();
  const part = async (from: number, to: number) =>
    add(
      await NatsArchive.open({ ...other.objects, list: async () => [from, from].map((n) => name(0, n)) }),
      records(from, to),
    );
  const name = (from: number, to: number) => [from, to].map((n) => String(n).padStart(15, "0")).join("-");
  for (const [from, to] of [
    [0, 8],
    [5, 12],
    [11, 13],
  ] as const)
    await part(from, to);
  const overlapping = await NatsArchive.open(other.objects);
  for (let i = 13; i < 40; i++) {
    await add(overlapping, records(i, i + 1));
    await overlapping.join();
  }
  for (const one of [overlapping, await NatsArchive.open(other.objects)])
    expect(await numbersIn(one)).toEqual(Array.from({ length: 40 }, (_, i) => `{"record":${i}}\n`));
});

test("a server that was held while it archived keeps its records' numbers, though it learns meanwhile that another has them", async () => {
  const { objects } = memory();
  const [held, leader] = [await NatsArchive.open(objects), await NatsArchive.open(objects)];
  await add(held, records(0, 4));
  await leader.refresh();
  await held.extend(8, async (sequence) => {
    if (sequence === 5) {
      await add(leader, records(4, 8));
      await held.refresh(); // the stream has let go of them by then: they are read from the archive
    }
    return records(sequence, sequence + 1)[0]!;
  });
  expect(held.length).toBe(8);
  await add(held, records(8, 9));
  await leader.refresh();
  await add(leader, records(9, 10));
  for (const archive of [leader, await NatsArchive.open(objects)])
    expect(await numbersIn(archive)).toEqual(records(0, 10).map((record) => Buffer.from(record).toString()));
});
