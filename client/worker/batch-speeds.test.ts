import { expect, test } from "vitest";
import { ToyServer } from "../../test/harness/toy-run.ts";
import { ToyTrainer } from "../../test/harness/toy-trainer.ts";
import { visit } from "../../test/harness/visit.ts";
import { memoryCache } from "../cache/cache.ts";
import { isWorthwhile } from "./batch-speeds.ts";

/** A visit of so many tickets on a device whose steps take `msOf` their sequences, in a run with micro-batches up to `most`. */
async function measured(msOf: (batch: number) => number, terms = {}, tickets = 2, share = 1, most = 16) {
  const server = await ToyServer.open();
  const { manifest } = server;
  server.manifest = async () => ({ ...(await manifest()), batch: most });
  server.terms = { trainFor: 100_000, inner: "muon", ...terms };
  const trainer = new ToyTrainer();
  let parked = 0;
  const carried = trainer.carried.bind(trainer);
  trainer.carried = () => {
    parked++;
    return carried();
  };
  const taken: number[] = [];
  const lengths = new Map<number, number>();
  const take = async (batch: number) => {
    taken.push(batch);
    return trainer;
  };
  const trainers = { take, lost: () => {}, proved: () => {}, dispose: () => {} };
  const here = visit(server, memoryCache(), trainers);
  here.control.share = share;
  const step = trainer.step.bind(trainer);
  trainer.step = (tokens, batch, ...rest) => {
    here.pass(msOf(batch));
    lengths.set(batch, (lengths.get(batch) ?? 0) + 1);
    return step(tokens, batch, ...rest);
  };
  expect(await here.until("sent", tickets)).toBe("stopped");
  return { speeds: server.paces.map(({ speeds }) => speeds), taken, trainer, lengths, here, parked };
}

/** Tokens a second of steps of 4 tokens a sequence. */
const speeds = (msOf: (batch: number) => number, sizes: readonly number[]) =>
  sizes.map((batch) => (4_000 * batch) / msOf(batch));

test("T6: after its first delta a volunteer measures its speed by micro-batch, once, and tells it from then on", async () => {
  const msOf = (batch: number) => 3 + batch / 8;
  const found = await measured(msOf, {}, 3);
  expect(found.speeds).toEqual([undefined, speeds(msOf, [1, 2, 4, 8, 16]), speeds(msOf, [1, 2, 4, 8, 16])]);
  expect(found.taken.includes(16), "a trainer for all of them").toBe(true);
});

test("a device that works sequences one after another needs no more memory than its tickets do", async () => {
  const msOf = (batch: number) => 4 * batch;
  const found = await measured(msOf);
  expect(found.speeds[1]).toEqual(speeds(msOf, [1, 2]));
  expect(Math.max(...found.lengths.keys())).toBe(2);
  expect(Math.max(...found.taken)).toBe(2);
});

test("a slow device measures one step of the smallest size, and rests from it: its tickets' own size it knows", async () => {
  const msOf = (batch: number) => 100 + 50 * batch;
  const found = await measured(msOf, { batch: 16, steps: 1, rates: [0.1] }, 2, 0.5);
  const told = found.speeds[1]?.map((speed) => Math.round(speed));
  expect(told).toEqual(speeds(msOf, [1, 2, 4, 8, 16]).map(Math.round));
  expect(found.lengths, "one step more than the tickets'").toEqual(
    new Map([
      [16, 2],
      [1, 1],
    ]),
  );
  expect(found.here.sleeps).toContain(150);
});

test("what is carried from ticket to ticket does not notice", async () => {
  const { trainer } = await measured(() => 10);
  const last = trainer.starts.at(-1);
  const moments = typeof last === "object" ? last : {};
  expect(moments.step, "the steps of the first ticket alone").toBe(3);
  expect(Math.hypot(...moments.residual!)).toBeGreaterThan(0);
});

test("in a run of one sequence a step it measures nothing, and copies nothing; control: of two it does", async () => {
  const [one, two] = [1, 2].map((most) => measured(() => 10, { batch: 1 }, 2, 1, most));
  expect((await one)!.speeds).toEqual([undefined, undefined]);
  expect((await two)!.speeds[1]).toHaveLength(2);
  expect((await two)!.parked - (await one)!.parked).toBe(1);
});

test("nor does it with a large model", () => {
  expect([120_576, 2 ** 24, 2 ** 24 + 1].map((parameters) => isWorthwhile(2, parameters))).toEqual([
    true,
    true,
    false,
  ]);
  expect(isWorthwhile(1, 120_576)).toBe(false);
});

test("it measures again with another optimiser, and on turns never", async () => {
  const both = await measured(() => 10, {}, 2);
  const steps = (lengths: Map<number, number>) => [...lengths.values()].reduce((sum, count) => sum + count);
  const turns = await measured(() => 10, { inner: undefined, trainFor: undefined }, 2);
  expect(turns.speeds).toEqual([undefined, undefined]);
  expect(steps(turns.lengths)).toBe(6);
  expect(steps(both.lengths)).toBeGreaterThan(6);
});
