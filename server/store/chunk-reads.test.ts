import { expect, test } from "vitest";
import { type Chunk, readChunks } from "./chunk-reads.ts";

/** A stream of which one subject has the messages at these places. Answers come when a test says so, in any order. */
function stream(places: readonly number[]) {
  let [waiting, most, asked]: [(() => void)[], number, number] = [[], 0, 0];
  const next = (from: number) =>
    new Promise<Chunk | null>((resolve) => {
      const seq = places.find((place) => place >= from);
      asked += 1;
      waiting.push(() => resolve(seq === undefined ? null : { seq, data: Uint8Array.of(seq) }));
      most = Math.max(most, waiting.length);
    });
  /** Answers all that is asked for, the newest first, until nothing is. */
  const answerAll = async () => {
    for (; waiting.length > 0; await new Promise(setImmediate)) {
      const answers = waiting.reverse();
      waiting = [];
      for (const answer of answers) answer();
    }
  };
  return {
    async read(count: number) {
      const reading = readChunks(count, next);
      await answerAll();
      const found = await reading;
      return { found: typeof found === "number" ? found : found.map(({ seq }) => seq), most, asked };
    },
  };
}

const dense = Array.from({ length: 40 }, (_, i) => 100 + i);

test("chunks come in order however late each is answered, a handful at a time and each once", async () => {
  expect(await stream(dense).read(40)).toEqual({ found: dense, most: 6, asked: 40 });
  expect(await stream([7]).read(1)).toEqual({ found: [7], most: 1, asked: 1 });
  expect(await stream([]).read(0)).toEqual({ found: [], most: 0, asked: 0 });
});

test("what lies between them costs a few answers twice, and loses none", async () => {
  const apart = [3, 4, 9, 10, 11, 40, 41, 60, 61, 62, 63, 90];
  const { found, most, asked } = await stream(apart).read(apart.length);
  expect(found).toEqual(apart);
  expect(most).toBeLessThanOrEqual(6);
  expect(asked).toBeLessThan(3 * apart.length);
  const others = dense.map((place) => 2 * place); // another object's lie between any two
  expect((await stream(others).read(40)).found).toEqual(others);
});

test("of a chunk that is not there the caller gets the number", async () => {
  expect((await stream([]).read(3)).found).toBe(0);
  expect((await stream([5, 6]).read(3)).found).toBe(2);
});

test("the caller gets what failed, and nothing else of what was asked for", async () => {
  const failing = async (from: number): Promise<Chunk> => {
    if (from > 2) throw new Error(`nobody answers for ${from}`);
    return { seq: from, data: new Uint8Array() };
  };
  await expect(readChunks(20, failing)).rejects.toThrow("nobody answers for 3");
});
