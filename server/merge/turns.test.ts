import { expect, test } from "vitest";
import { ManualTimer } from "../../test/harness/manual-timer.ts";
import { type TurnedAway, type Turning, turnAll } from "./turns.ts";

const LARGE = 70_000;
/** Two are too small to be worth the way. */
const SIZES = [LARGE, 12, LARGE + 1, LARGE + 64, LARGE * 2, 7, LARGE, LARGE + 33, LARGE];

/** Any change that depends on the matrix alone, and shows when it is made twice or not at all. */
const turned = (values: Float32Array) => values.map((value, i) => value * 3 + (i % 5));
const drawn = SIZES.map((size, m) => new Float32Array(size).map((_, i) => m + i / 64));
const before = () => drawn.map((values) => values.slice());
const expected = before().map(turned);

function world(threads: number, elsewhere: number, away: (matrix: number) => Promise<string | undefined>) {
  const timer = new ManualTimer();
  const matrices = before();
  const made = { here: [] as number[], away: [] as number[] };
  const distrusted: string[] = [];
  let ms = 0;
  const turn = async (matrix: number) => {
    await new Promise(setImmediate);
    made.here.push(matrix);
    matrices[matrix]!.set(turned(matrices[matrix]!));
  };
  const parts: Turning = {
    sizes: SIZES,
    here: Array.from({ length: threads }, () => turn),
    elsewhere,
    away: async (matrix): Promise<TurnedAway | undefined> => {
      made.away.push(matrix);
      const values = matrices[matrix]!.slice();
      const how = await away(matrix);
      if (how === undefined) return undefined;
      const wrong = how.includes("wrong");
      return { values: wrong ? values : turned(values), who: how, checked: how.includes("checked") };
    },
    valuesOf: (matrix) => matrices[matrix]!,
    distrust: (who) => void distrusted.push(who),
    ...{ now: () => ms, after: timer.after },
  };
  const pass = (more: number) => {
    ms += more;
    timer.pass(more);
  };
  const same = () => matrices.every((values, i) => Buffer.compare(bytes(values), bytes(expected[i]!)) === 0);
  return { parts, made, distrusted, pass, same };
}

const bytes = (values: Float32Array) => Buffer.from(values.buffer, values.byteOffset, values.byteLength);
const turns = async (count: number) => {
  for (let i = 0; i < count; i++) await new Promise(setImmediate);
};
const never = () => new Promise<never>(() => {});

test.each([0, 1, 2, 4, 8])(
  "with %d elsewhere the bytes are the same, and each matrix is turned once",
  async (n) => {
    for (const threads of [1, 3]) {
      const { parts, made, same } = world(threads, n, async () => "worker");
      await turnAll(parts);
      expect(same()).toBe(true);
      expect([...made.here, ...made.away].sort(), "once").toEqual([...SIZES.keys()]);
      expect(made.away.every((matrix) => SIZES[matrix]! >= LARGE)).toBe(true);
      if (n > 0) expect(made.away.length).toBeGreaterThan(0);
    }
  },
);

test("whoever is killed in the middle keeps nobody waiting for longer than the threads took for theirs", async () => {
  const { parts, made, same, pass } = world(2, 2, never);
  let over = false;
  const all = turnAll(parts).then(() => {
    over = true;
  });
  pass(400); // the threads are at work
  await turns(30);
  expect(made.here).toHaveLength(SIZES.length - 2);
  pass(390);
  await turns(30);
  expect(over, "the control: it waits").toBe(false);
  pass(20);
  await turns(30);
  pass(2_000);
  await all;
  expect(same()).toBe(true);
});

test("what comes after its time is thrown away, and what nobody does is done here", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const late = world(1, 1, () => promise);
  const all = turnAll(late.parts);
  await turns(30);
  late.pass(1_000);
  await all;
  resolve("worker wrong"); // it would undo the turn
  await turns(5);
  expect(late.same()).toBe(true);
  const unwilling = world(1, 2, async () => undefined);
  await turnAll(unwilling.parts);
  expect(unwilling.same()).toBe(true);
  expect(unwilling.made.away, "each way is tried once").toHaveLength(2);
});

test("a matrix that is checked is turned here: a worker that computes wrong is found, and does no harm", async () => {
  const right = world(1, 2, async () => "right checked");
  await turnAll(right.parts);
  expect([right.same(), right.distrusted]).toEqual([true, []]);
  const wrong = world(1, 1, async () => "wrong checked");
  await turnAll(wrong.parts);
  expect(wrong.same()).toBe(true);
  expect(new Set(wrong.distrusted)).toEqual(new Set(["wrong checked"]));
  const unchecked = world(1, 1, async () => "wrong");
  await turnAll(unchecked.parts);
  expect(unchecked.same(), "the control").toBe(false);
});

test("a thread that fails ends all, and nothing from elsewhere is put anywhere after that", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const { parts } = world(1, 1, () => promise);
  const failing = { ...parts, here: [() => Promise.reject(new Error("no memory"))] };
  const values = parts.valuesOf(2).slice();
  await expect(turnAll(failing)).rejects.toThrow("no memory");
  resolve("worker");
  await turns(5);
  expect(parts.valuesOf(2)).toEqual(values);
});
