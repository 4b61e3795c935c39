import type { LeaderLine } from "../../server/lib/passing.ts";
import type { ClusterStore } from "../../server/store/followed-store.ts";
import { readOnlyStore } from "../../server/store/read-only.ts";
import { FakeJobs } from "./fake-jobs.ts";
import type { MemoryFiles } from "./memory-files.ts";
import { memoryIndex } from "./memory-index.ts";

/** A run's files in memory as another server of it sees them: what was there at the last refresh. */
export async function followedFiles(files: MemoryFiles) {
  let now = await readOnlyStore(files);
  const seen = { refreshes: 0, closed: false };
  /** Those that hear the beats of a server that leads. */
  const listeners: Parameters<LeaderLine["hear"]>[0][] = [];
  const store: ClusterStore = {
    ...now,
    index: memoryIndex(),
    stripped: 0,
    get length() {
      return now.length;
    },
    read: (sequence) => now.read(sequence),
    records: (from) => now.records(from),
    async refresh() {
      seen.refreshes += 1;
      await seams.beforeRefresh();
      now = await readOnlyStore(files);
    },
    line: {
      answer() {},
      ask: () => Promise.reject(new Error("nobody leads")),
      leader: async () => undefined,
      tell() {},
      hear(listener) {
        listeners.push(listener);
      },
    },
    jobs: new FakeJobs().end(),
    claims: { take: async () => true, drop() {} },
    async close() {
      seen.closed = true;
    },
  };
  /** What a test has happen first: a cluster that does not answer, or lies. */
  const seams = { beforeRefresh: async () => {} };
  return { store, seen, seams, listeners };
}
