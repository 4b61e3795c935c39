import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { utf8 } from "../../protocol/bytes.ts";
import { MemoryFiles } from "../../test/harness/memory-files.ts";
import { memoryIndex } from "../../test/harness/memory-index.ts";
import { memoryStore } from "../../test/harness/memory-store.ts";
import { storeContract } from "../../test/harness/store-contract.ts";
import { fileStore } from "./file-store.ts";
import type { Files } from "./files.ts";
import { nodeFiles } from "./node-files.ts";
import { openFileStore } from "./open.ts";
import type { Store } from "./store.ts";

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
  const reopen = async (store: Store) => {
    await store.close();
    return openIn(places.get(store)!);
  };

  describe("in memory", () => {
    storeContract(() => openIn(new MemoryFiles()), reopen);
  });

  describe("on disk", () => {
    storeContract(() => openIn(nodeFiles(temporaryDirectory())), reopen);
  });
});

test("a data directory's store: the key is its owner's alone, and index.sqlite stands beside", async () => {
  const directory = temporaryDirectory();
  const store = await openFileStore(directory);
  await store.put("run", "server.key", utf8("key"), "secret");
  expect(statSync(join(directory, "server.key")).mode & 0o777).toBe(0o600);
  expect(statSync(join(directory, "index.sqlite")).isFile()).toBe(true);
  await store.close();
});
