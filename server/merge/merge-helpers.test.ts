import { afterEach, expect, test } from "vitest";
import { Orthogonalizer } from "../../model/engine/wasm/orthogonal.ts";
import { DENSE2, DENSE4, F32 } from "../../protocol/codec/codec.ts";
import { encodeFrame } from "../../protocol/frame.ts";
import { drawn, hashOf, ruleOf, streamed } from "../../test/harness/merge-jobs.ts";
import { merge } from "../../test/harness/merge-once.ts";
import { type MeanHelpers, meanOf } from "./means.ts";
import { mergeInPool, type ThreadMerger } from "./merge-pool.ts";
import { type MergeRule, PIECE, partsFor } from "./step.ts";
import type { TurnHelpers } from "./turns.ts";
import { initialVectors } from "./vectors.ts";

let merger: ThreadMerger | undefined;
afterEach(() => merger?.close());

const oddLength = 25 + 260 * 300 + 77 + 300 * 230 + 3;
const matrices = [
  { offset: 25, rows: 260, columns: 300 },
  { offset: 25 + 260 * 300 + 77, rows: 300, columns: 230 },
];
const orthogonalizer = await Orthogonalizer.open();
const orthogonalize = orthogonalizer.apply.bind(orthogonalizer);
/** A merge of an odd shape, and what comes of it by one thread. */
const odd = {
  vectors: initialVectors(drawn(99, oddLength)),
  frames: [1, 2, 3].map((seed) => encodeFrame(DENSE4, drawn(seed, oddLength))),
  weights: [1, 2, 5],
  hashes: new Map<string, string>(),
};

test.each([1, 2, 4, 8])(
  "with %d helpers, of which one says nothing, the bytes are the same for every outer step, codec and odd shape",
  async (helped) => {
    let asked = 0;
    const helpers: TurnHelpers & MeanHelpers = {
      mean: async () => undefined,
      merges: helped,
      turn: async (values, rows, columns) => {
        if (asked++ % 2 === 1) return new Promise(() => {}); // killed in the middle
        orthogonalize(values, rows, columns);
        return { values, who: "worker", checked: false };
      },
      distrust: (who) => expect.fail(who),
    };
    merger = mergeInPool({ threads: 1, helpers: () => helpers });
    for (const [kind, downlink] of [
      ["muon", DENSE2],
      ["muon", DENSE4],
      ["muon", F32],
      ["nesterov", DENSE2],
      ["average", DENSE4],
    ] as const) {
      const rule: MergeRule = {
        outer: { kind, rate: 0.7, momentum: 0.3 },
        downlink,
        matrices,
        orthogonalize,
      };
      const { vectors, frames, weights } = odd;
      const name = `${kind} ${JSON.stringify(downlink)}`;
      if (!odd.hashes.has(name)) {
        const all = frames.map((frame, i) => ({ frame, weight: weights[i]! }));
        odd.hashes.set(name, hashOf(merge(vectors, all, rule)));
      }
      const merged = await merger.merge(rule, { vectors, weights, frames: streamed(frames) });
      expect(hashOf(merged), name).toBe(odd.hashes.get(name));
    }
    expect(asked).toBeGreaterThan(0);
  },
);

test("a mean that was made elsewhere, part by part, gives the same bytes, and no frame is read here; else all are", async () => {
  const length = 2 * PIECE + 77;
  const rule = await ruleOf("muon");
  const frames = [1, 2, 3].map((seed) => encodeFrame(DENSE4, drawn(seed, length)));
  const weights = [1, 2, 5];
  const vectors = initialVectors(drawn(99, length));
  const all = frames.map((frame, i) => ({ frame, weight: weights[i]! }));
  const expected = hashOf(merge(vectors, all, rule));
  const away = { records: [0, 1, 2], frameBytes: 1 };
  let how = { read: 0, checked: false, wrong: false, distrusted: [] as string[] };
  const here = async function* () {
    for (const frame of frames) {
      how.read++;
      yield frame;
    }
  };
  const helpers: TurnHelpers & MeanHelpers = {
    mean: async ({ shares }) => ({
      checked: how.checked,
      parts: await Promise.all(
        partsFor(3, length).map(async (part, i) => {
          const values = await meanOf(streamed(frames), { shares, ...part }, length);
          if (how.wrong && i === 1) values[7]! += 0.5;
          return { from: part.from, values, who: `worker ${i}` };
        }),
      ),
    }),
    distrust: (who) => void how.distrusted.push(who),
    ...{ merges: 0, turn: async () => undefined },
  };
  merger = mergeInPool({ threads: 2, helpers: () => helpers });
  const merged = async (changes: Partial<typeof how>) => {
    how = { read: 0, checked: false, wrong: false, distrusted: [], ...changes };
    const made = await merger!.merge(rule, { vectors, weights, away, frames: here() });
    return [hashOf(made) === expected, how.read, how.distrusted];
  };
  expect(await merged({})).toEqual([true, 0, []]);
  expect(await merged({ checked: true })).toEqual([true, 3, []]);
  expect(await merged({ checked: true, wrong: true }), "found out, and no harm done").toEqual([
    true,
    3,
    ["worker 1"],
  ]);
  expect(await merged({ wrong: true }), "the control").toEqual([false, 0, []]);
});
