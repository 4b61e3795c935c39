import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { utf8 } from "../../protocol/bytes.ts";
import { MemoryFiles } from "../../test/harness/memory-files.ts";
import { memoryIndex } from "../../test/harness/memory-index.ts";
import { memoryStore } from "../../test/harness/memory-store.ts";
import { recordsOf, storeContract } from "../../test/harness/store-contract.ts";
import { fileStore } from "./file-store.ts";
import type { Files } from "./files.ts";
import { nodeFiles } from "./node-files.ts";
import { openFileStore } from "./open.ts";
import { type Store, StoreError } from "./store.ts";

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "murmuration-store-"));
  directories.push(directory);
  return directory;
}

describe("in memory", () => {
  storeContract(async () => memoryStore());
});

// Segments of 64 bytes: nearly every append begins a new one.
describe.each([64, 1 << 20])("in files, segments of %i bytes", (segmentBytes) => {
  const places = new WeakMap<Store, Files>();
  const openIn = async (files: Files) => {
    const store = await fileStore(files, memoryIndex(), { salt: () => 3, segmentBytes });
    places.set(store, files);
    return store;
  };
  const takeOver = (store: Store) => openIn(places.get(store)!);
  const reopen = async (store: Store) => {
    await store.close();
    return takeOver(store);
  };

  describe("in memory", () => {
    storeContract(() => openIn(new MemoryFiles()), { reopen, takeOver });
  });

  describe("on disk", () => {
    storeContract(() => openIn(nodeFiles(temporaryDirectory())), { reopen, takeOver });
  });
});

/** Files that say of each file's length what this process has made of it: a fence that sees no other writer. */
function blind(files: MemoryFiles): Files {
  const lengths = new Map<string, number>();
  return {
    async open(path) {
      const file = await files.open(path);
      lengths.set(path, (await files.size(path)) ?? 0);
      return {
        ...{ sync: () => file.sync(), close: () => file.close() },
        async append(bytes) {
          await file.append(bytes);
          lengths.set(path, (lengths.get(path) ?? 0) + bytes.length);
        },
        async truncate(length) {
          await file.truncate(length);
          lengths.set(path, length);
        },
      };
    },
    size: async (path) => lengths.get(path),
    read: (path, start, end) => files.read(path, start, end),
    rename: (from, to) => files.rename(from, to),
    remove: (path) => files.remove(path),
    list: (directory) => files.list(directory),
    makeDirectory: () => files.makeDirectory(),
    syncDirectory: (path) => files.syncDirectory(path),
  };
}

test("the control: without the fence two writers both acknowledge, and nobody can open the journal any more", async () => {
  for (const fenced of [true, false]) {
    const files = new MemoryFiles();
    const openIt = () => fileStore(fenced ? files : blind(files), memoryIndex(), { salt: () => 3 });
    const first = await openIt();
    await first.append(utf8("0"));
    const second = await openIt();
    await second.append(utf8("second"));
    const zombie = await first.append(utf8("zombie")).catch(() => undefined);
    await Promise.all([first.close(), second.close()]);
    expect(zombie).toBe(fenced ? undefined : 1); // the number that the second gave away
    const found = openIt();
    if (fenced) {
      expect(await recordsOf(await found)).toEqual(["0", "second"]);
      await (await found).close();
    } else await expect(found).rejects.toThrow(StoreError);
  }
});

test("a data directory's store: the key is its owner's alone, and index.sqlite stands beside", async () => {
  const directory = temporaryDirectory();
  const store = await openFileStore(directory);
  await store.put("run", "server.key", utf8("key"), "secret");
  expect(statSync(join(directory, "server.key")).mode & 0o777).toBe(0o600);
  expect(statSync(join(directory, "index.sqlite")).isFile()).toBe(true);
  await store.close();
});
