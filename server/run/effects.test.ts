import { expect, test } from "vitest";
import type { Hash } from "../../protocol/ids.ts";
import type { Effect } from "../coordinator/events.ts";
import { begin } from "../coordinator/state.ts";
import { Effects } from "./effects.ts";
import { Projections } from "./projections.ts";
import type { Publisher } from "./publisher.ts";

const hash = "0".repeat(64) as Hash;
const begun = begin({ type: "created", at: 0, hash, genesis: {} });

interface Situation {
  readonly activity?: Publisher["activity"];
  readonly resting?: boolean;
  readonly due?: boolean;
  /** What storing a version, and taking the run back, come to. */
  readonly fails?: boolean;
}

/** Effects over parts that write down what they are asked for. */
function effectsIn({ activity = "idle", resting = false, due = false, fails = false }: Situation = {}) {
  const done: string[] = [];
  const ended = async () => {
    if (fails) throw new Error("the disk is full");
  };
  const effects = new Effects({
    projections: new Projections(begun, 5),
    listeners: { announce: ({ type }) => done.push(`announce ${type}`) },
    quality: {
      evaluate: (version, tokens) => done.push(`evaluate ${version} ${tokens}`),
      diverged: (to) => {
        done.push(`diverged ${to}`);
        return ended();
      },
    },
    publisher: {
      ...{ activity, resting },
      decide: ({ type }) => done.push(`decide ${type}`),
      publish: ({ version }) => done.push(`publish ${version}`),
      rest: (error, message) => done.push(`rest: ${message}: ${String(error)}`),
    },
    versions: {
      due: (version) => due && version === 0,
      save: ({ version, needs }, { applied, state }) => {
        done.push(`save ${version} ${needs} ${applied} ${state.phase}`);
        return ended();
      },
    },
  });
  return { effects, done };
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

test("each effect goes to the part that performs it, in their order", () => {
  const { effects, done } = effectsIn();
  const paused: Effect = { type: "announce", event: { type: "state", state: "paused" } };
  effects.perform([{ type: "evaluate", version: 3, tokens: 96 }, paused, { type: "roll-back", to: 2 }]);
  expect(done).toEqual(["evaluate 3 96", "announce state", "diverged 2"]);
});

test("what answers a request is its caller's, and nothing is done for it here", () => {
  const { effects, done } = effectsIn();
  effects.perform([
    { type: "hold", until: 7 },
    { type: "refuse", code: "no-work", retryAfterMs: 7 },
  ]);
  expect(done).toEqual([]);
});

test("a version that is due is stored with the state that its journal place gives", () => {
  const { effects, done } = effectsIn({ due: true });
  effects.perform([]);
  expect(done).toEqual(["save 0 5 5 running"]);
});

test.each<Situation>([{ activity: "rolling-back" }, { resting: true }])(
  "no version is stored in %o: the next tick asks again",
  (situation) => {
    const { effects, done } = effectsIn({ due: true, ...situation });
    effects.perform([]);
    expect(done).toEqual([]);
  },
);

test("a version that could not be stored, and a run that could not be taken back, are waited out", async () => {
  const { effects, done } = effectsIn({ due: true, fails: true });
  effects.perform([{ type: "roll-back", to: 2 }]);
  await settled();
  expect(done.slice(2)).toEqual([
    "rest: the run could not be rolled back: Error: the disk is full",
    "rest: a snapshot could not be stored; it is tried again: Error: the disk is full",
  ]);
});
