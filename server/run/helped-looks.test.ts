import { expect, test } from "vitest";
import { DENSE4 } from "../../protocol/codec/codec.ts";
import { encodeFrame } from "../../protocol/frame.ts";
import type { Hash } from "../../protocol/ids.ts";
import { begin } from "../coordinator/state.ts";
import type { Helpers, ModelPlace } from "../evaluate/ports.ts";
import { type Evidence, verdictOf } from "../trust/audit.ts";
import { NEWEST } from "../trust/learning.ts";
import { Evaluations, type Measured } from "./evaluations.ts";
import { Looks } from "./looks.ts";

const hash = "0".repeat(64) as Hash;
const model: ModelPlace = { version: 3, hash, from: { version: 3, hash }, diffs: [] };
const frame = encodeFrame(
  DENSE4,
  Float32Array.from({ length: 64 }, (_, i) => Math.sin(i)),
);
const ticket = { window: 0, seed: 1, steps: 2, batch: 2, rates: [0.01, 0.01], fresh: false };
const looked = { ticket, frame, shard: hash, weights: async () => new Float32Array(64), model };
const of = (before: number, after: number, error = 0.001): Evidence => {
  const change = { before, after, error };
  return { assigned: change, gate: change };
};
const [good, bad] = [of(3, 2.8), of(3, 3.5)];
const purse = { reserves: true, pay: () => true, owe: () => {}, refund: () => {} };

/** A server that measures `here`, with a worker that says `there` (undefined: nobody does it); `drawn` tells chance. */
function world(here: Evidence, there: Evidence | undefined, drawn = 1) {
  const made = { here: 0, own: 0, there: 0, distrusted: [] as string[] };
  const seeds = new Set<number>();
  const helpers: Helpers = {
    audits: 2,
    audit: async ({ seed }) => {
      seeds.add(seed);
      if (there === undefined) return undefined;
      made.there++;
      return { evidence: structuredClone(there), who: "worker" };
    },
    evaluate: async () => undefined,
    distrust: (who) => void made.distrusted.push(who),
  };
  const looks = new Looks({
    auditor: {
      audit: async ({ own, seed }) => {
        if (own) made.own++;
        else {
          made.here++;
          if (made.there > 0) expect(seeds.has(seed), "the same question").toBe(true);
        }
        return own ? { ...here, own: { assigned: good.assigned, gate: good.gate } } : here;
      },
      direct: async () => new Float32Array(),
      effects: async () => [],
    },
    ...{ helpers, parameters: 64, draw: () => drawn, rates: () => [] },
    state: () => begin({ type: "created", at: 0, hash, genesis: {} }),
    shard: async () => new Uint8Array(200),
  });
  const judge = (learns?: string) =>
    looks.judge((about) => looks.bySomebody(looked, about), { done: 2, asked: 2 }, purse, verdictOf, learns);
  return { looks, made, judge };
}

test("a worker's look counts like the server's own, which makes none; where nobody looks, the server does", async () => {
  const helped = world(good, good);
  expect(await helped.judge()).toMatchObject({ verdict: "good", reason: "gain" });
  expect(helped.made).toEqual({ here: 0, own: 0, there: 1, distrusted: [] });
  const alone = world(good, undefined);
  expect(await alone.judge()).toMatchObject({ verdict: "good" });
  expect(alone.made.here).toBe(1);
});

test("before anybody is found bad the server trains the ticket by itself, whoever looked before", async () => {
  const { judge, made } = world(bad, bad);
  expect(await judge()).toMatchObject({ verdict: "bad" });
  expect(made).toMatchObject({ here: 0, own: 1, there: 2 });
});

test("a worker that computes wrong costs no volunteer anything: what it found bad is measured again here", async () => {
  // Where weights were seen to learn, what changes nothing needs no training of the ticket: a look alone then decides.
  const zeros = of(3, 3, 0);
  const seenToLearn: Evidence = {
    ...bad,
    own: { assigned: good.assigned, gate: good.gate },
    unsteadiness: 0,
  };
  const learned = async (there: Evidence) => {
    const { looks, made, judge } = world(good, there);
    await looks.judge(async () => seenToLearn, { done: 2, asked: 2 }, purse, verdictOf, NEWEST);
    return { verdict: await judge(NEWEST), made };
  };
  const wrong = await learned(zeros);
  expect(wrong.verdict).toMatchObject({ verdict: "good" });
  expect(wrong.made).toMatchObject({ own: 0, here: 1, distrusted: ["worker"] });
  // The control: the same evidence, believed.
  const { looks } = world(good, zeros);
  const judged = (evidence: Evidence) =>
    looks.judge(async () => evidence, { done: 2, asked: 2 }, purse, verdictOf, NEWEST);
  await judged(seenToLearn);
  expect(await judged(zeros)).toMatchObject({ verdict: "bad" });
});

test("one look in thirty-two is made here as well, so that a worker that finds everything good is found out", async () => {
  const { judge, made } = world(bad, good, 32);
  expect((await judge())?.verdict).toBe("bad");
  expect(made.distrusted).toContain("worker");
  const unlucky = world(bad, good, 33);
  expect((await unlucky.judge())?.verdict, "the control: unchecked").toBe("good");
});

test("a version that a worker measures is not measured here, except where its loss could take the run back", async () => {
  const run = async (loss: number, isOdd: (loss: number) => boolean) => {
    const measured: Measured[] = [];
    const happened: string[] = [];
    const helpers: Helpers = {
      ...{ audits: 1, audit: async () => undefined },
      evaluate: async () => ({ evaluation: { loss, sample: "there" }, who: "worker" }),
      distrust: (who) => void happened.push(`distrust ${who}`),
    };
    const evaluator = {
      evaluate: async () => {
        happened.push("here");
        return { loss: 2, sample: "here" };
      },
    };
    const log = { info() {}, warn() {}, error() {} };
    const evaluations = new Evaluations(evaluator, (one) => void measured.push(one), log, helpers, isOdd);
    evaluations.offer({ version: 3, tokens: 9, weights: new Float32Array(1), place: async () => model });
    while (measured.length === 0) await new Promise(setImmediate);
    return { measured: measured[0], happened };
  };
  expect(await run(2, () => false)).toMatchObject({ measured: { loss: 2, sample: "there" }, happened: [] });
  expect(await run(2, () => true)).toMatchObject({ measured: { sample: "here" }, happened: ["here"] });
  const wrong = await run(9, (loss) => loss > 3);
  expect(wrong.measured?.loss).toBe(2);
  expect(wrong.happened).toEqual(["here", "distrust worker"]);
});
