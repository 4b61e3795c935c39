/**
 * How much of a merge do threads take from one another? The critical path is, of each round of work, the processor time of
 * the thread that took longest; it is counted, not timed, so a machine with fewer cores than threads will do.
 * `npm run bench -- merge [--json] [--size 1M|10M|gpt2] [--outer muon|nesterov|average] [--deltas N] [--threads N]…`
 * Prints a table. Ends with exit code 1 where a number of threads gives other bytes.
 */
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hiddenMatrices, layoutOf } from "../model/contract/layout.ts";
import type { Merged } from "../server/merge/merge.ts";
import { mergeInPool } from "../server/merge/merge-pool.ts";
import type { MergeRule } from "../server/merge/step.ts";
import { initialVectors } from "../server/merge/vectors.ts";
import { openFileStore } from "../server/store/open.ts";
import { benchFlags, countOf, namedOf, refuse } from "./lib/flags.ts";
import { FrameMill } from "./load/frames.ts";

const SIZES = {
  "1M": { layers: 4, heads: 4, width: 128, context: 128, vocabulary: 1_024 },
  "10M": { layers: 8, heads: 8, width: 320, context: 128, vocabulary: 512 },
  gpt2: { layers: 12, heads: 12, width: 768, context: 1_024, vocabulary: 50_257 },
} as const;
const OUTERS = ["muon", "nesterov", "average"] as const;
/** As large runs send them. */
const DELTAS = { name: "topk", chunk: 4_096, k: 64, bits: 4 } as const;

const flags = benchFlags({
  size: { type: "string", default: "10M" },
  outer: { type: "string", default: "muon" },
  deltas: { type: "string", default: "64" },
  threads: { type: "string", multiple: true, default: ["1", "2", "4", "8"] as string[] },
});
const [size] = namedOf("size", [flags.size], Object.keys(SIZES) as (keyof typeof SIZES)[]);
const [kind] = namedOf("outer", [flags.outer], OUTERS);
const count = countOf("deltas", flags.deltas);
const threadCounts = flags.threads.map((given) => countOf("threads", given));
if (threadCounts.some((threads) => threads > 64)) refuse("--threads: at most 64");

const layout = layoutOf(SIZES[size!]);
const rule: MergeRule = {
  outer: { kind: kind!, rate: 0.7, momentum: 0.5 },
  downlink: { name: "dense", bits: 4 },
  matrices: hiddenMatrices(layout),
  orthogonalize: () => {}, // each thread has its own
};
const directory = await mkdtemp(join(tmpdir(), "murmuration-merge-"));
try {
  const store = await openFileStore(directory);
  const mill = new FrameMill(DELTAS, layout.length);
  for (let i = 0; i < count; i++) await store.append(new Uint8Array(), mill.frame());
  const places = Array.from({ length: count }, (_, sequence) => store.locate!(sequence)!);
  const weights = places.map((_, i) => 1_000 + i);
  const x = Float32Array.from({ length: layout.length }, (_, i) => Math.sin(i) / 50);
  const vectors = initialVectors(x);
  console.log(`${layout.length.toLocaleString("en")} parameters, ${count} deltas, ${kind}`);
  const rows: Row[] = [];
  for (const threads of threadCounts) {
    const work = new Map<string, number>();
    const observe = (what: string, ms: readonly number[]) =>
      work.set(what, (work.get(what) ?? 0) + Math.max(...ms));
    const merger = mergeInPool({ threads, observe });
    const job = { vectors, weights, places, frames: (async function* () {})() };
    await merger.merge(rule, job); // the first finds cold code
    work.clear();
    const began = performance.now();
    const merged = await merger.merge(rule, job);
    const ms = performance.now() - began;
    await merger.close();
    const critical = [...work.values()].reduce((sum, more) => sum + more, 0);
    rows.push({ threads, criticalMs: Math.round(critical), ms: Math.round(ms), hash: hashOf(merged) });
    const rounds = [...work].map(([what, took]) => `${what} ${took.toFixed(0)}`).join(", ");
    console.log(`${threads} threads: critical path ${critical.toFixed(0)} ms of processor (${rounds})`);
  }
  const identical = rows.every(({ hash }) => hash === rows[0]!.hash);
  const of = (threads: number) => rows.find((row) => row.threads === threads)?.criticalMs;
  const [one, four] = [of(1), of(4)];
  const fourToOne = one && four ? Number((four / one).toFixed(3)) : null;
  console.log(
    `4 threads ÷ 1: ${fourToOne ?? "not measured"}; the bytes are ${identical ? "" : "NOT "}the same`,
  );
  if (flags.json) {
    const { length: parameters } = layout;
    console.log(JSON.stringify({ parameters, deltas: count, outer: kind, rows, fourToOne, identical }));
  }
  await store.close();
  if (!identical) process.exitCode = 1;
} finally {
  await rm(directory, { recursive: true, force: true });
}

interface Row {
  readonly threads: number;
  readonly criticalMs: number;
  readonly ms: number;
  readonly hash: string;
}

function hashOf({ vectors: { x, theta, momentum }, diff }: Merged): string {
  const hash = createHash("sha256");
  for (const values of [x, theta, momentum, diff]) hash.update(values);
  return hash.digest("hex");
}
