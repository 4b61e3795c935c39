import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, describe, expect, test } from "vitest";
import type { RunId } from "../../protocol/ids.ts";
import { indexContract, indexedDelta } from "../../test/harness/index-contract.ts";
import { memoryIndex } from "../../test/harness/memory-index.ts";
import { sqliteIndex } from "./sqlite-index.ts";

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

function place(): string {
  const directory = mkdtempSync(join(tmpdir(), "murmuration-index-"));
  directories.push(directory);
  return join(directory, "index.sqlite");
}

describe("in memory", () => {
  indexContract(memoryIndex);
});

describe("in SQLite", () => {
  let path = "";
  indexContract(
    () => {
      path = place();
      return sqliteIndex(path);
    },
    (index) => {
      index.close();
      return sqliteIndex(path);
    },
  );
});

const run = "0".repeat(64) as RunId;

/** An index file with enough in it to be damaged in places. */
function filled(): string {
  const path = place();
  const index = sqliteIndex(path);
  index.clear(run);
  for (let n = 0; n < 500; n++) index.apply([{ type: "accepted", delta: indexedDelta(n) }]);
  index.close();
  return path;
}

test.each([
  ["overwritten with noise", (bytes: Buffer) => bytes.fill(0xa5)],
  ["cut in the middle", (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
  ["with a page of noise", (bytes: Buffer) => bytes.fill(0xa5, 8_192, 12_288)],
  ["empty", () => Buffer.alloc(0)],
])("a damaged index (%s) is rebuilt", (_how, damage) => {
  const path = filled();
  writeFileSync(path, damage(readFileSync(path)));
  const index = sqliteIndex(path);
  expect([index.run, index.applied]).toEqual([undefined, 0]);
  index.clear(run);
  index.apply([{ type: "accepted", delta: indexedDelta(1) }]);
  expect(index.delta(indexedDelta(1).ticket)).toEqual(indexedDelta(1));
  index.close();
});

test("an index of another format is rebuilt; a sound one is kept", () => {
  const path = filled();
  const kept = sqliteIndex(path);
  expect(kept.applied).toBe(500);
  kept.close();
  const database = new DatabaseSync(path);
  database.exec("PRAGMA user_version = 999");
  database.close();
  const index = sqliteIndex(path);
  expect(index.applied).toBe(0);
  index.close();
});
