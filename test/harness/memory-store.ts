import { concat, partsOf } from "../../protocol/bytes.ts";
import { joinRecord, withoutFrame } from "../../server/store/record-parts.ts";
import { type JournalEntry, type Shelf, type Store, StoreError } from "../../server/store/store.ts";
import { memoryIndex } from "./memory-index.ts";

/** A run in memory only: for benches and tests that ask nothing of the disk. */
export function memoryStore(): Store {
  const records: Uint8Array<ArrayBuffer>[] = [];
  const objects: Record<Shelf, Map<string, Uint8Array<ArrayBuffer>>> = {
    run: new Map(),
    snapshots: new Map(),
    diffs: new Map(),
  };
  return {
    async append(head, frame) {
      return records.push(concat(...joinRecord(head, frame))) - 1;
    },
    async *records(from = 0): AsyncGenerator<JournalEntry> {
      for (const [sequence, record] of [...records].entries())
        if (sequence >= from) yield { sequence, record };
    },
    async read(sequence) {
      const record = records[sequence];
      if (record === undefined) throw new StoreError(`the journal has no record ${sequence}`);
      return record;
    },
    get length() {
      return records.length;
    },
    async strip(before) {
      for (let i = 0; i < before; i++) records[i] = withoutFrame(records[i]!).slice();
    },
    async put(shelf, name, bytes) {
      objects[shelf].set(name, concat(...partsOf(bytes)));
    },
    get: async (shelf, name) => objects[shelf].get(name),
    list: async (shelf) => [...objects[shelf].keys()].sort(),
    async remove(shelf, name) {
      objects[shelf].delete(name);
    },
    deposed: new AbortController().signal,
    index: memoryIndex(),
    async close() {},
  };
}
