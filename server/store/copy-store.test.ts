import { expect, test } from "vitest";
import { utf8 } from "../../protocol/bytes.ts";
import { memoryStore } from "../../test/harness/memory-store.ts";
import { recordsOf } from "../../test/harness/store-contract.ts";
import { copyStore } from "./copy-store.ts";

async function filled() {
  const store = memoryStore();
  for (let i = 0; i < 600; i++)
    await store.append(utf8(`record ${i}`), i % 2 === 0 ? utf8("frame") : undefined);
  await store.strip(100);
  await store.put("snapshots", "a.safetensors", utf8("weights"));
  await store.put("diffs", "0-b", utf8("diff"));
  for (const name of [
    "run.json",
    "people.json",
    "links.json",
    "teams.json",
    "forgotten-3f.json",
    "drain",
    "completions",
    "server.key",
    "corpus.json",
    "lock",
  ]) {
    await store.put("run", name, utf8(name));
  }
  return store;
}

test("a copy has the same records under the same numbers, and all that is the run's, but not its key", async () => {
  const from = await filled();
  const to = memoryStore();
  expect(await copyStore(from, to)).toEqual({ records: 600, objects: 9 });
  expect(await recordsOf(to)).toEqual(await recordsOf(from));
  expect(await to.list("run")).toEqual([
    "completions",
    "drain",
    "forgotten-3f.json",
    "links.json",
    "people.json",
    "run.json",
    "teams.json",
  ]);
  expect(await to.get("snapshots", "a.safetensors")).toEqual(utf8("weights"));
});

test("a copy that was interrupted goes on, and one over another run's journal is refused", async () => {
  const from = await filled();
  const half = memoryStore();
  for await (const { sequence } of from.records()) {
    if (sequence < 300)
      await half.append(
        utf8(`record ${sequence}`),
        sequence >= 100 && sequence % 2 === 0 ? utf8("frame") : undefined,
      );
  }
  await copyStore(from, half);
  expect(await recordsOf(half)).toEqual(await recordsOf(from));
  await copyStore(from, half); // and a whole one is left as it is
  expect(half.length).toBe(600);
  const other = memoryStore();
  await other.append(utf8("record of another"));
  await expect(copyStore(from, other)).rejects.toThrow(/another run/);
});
