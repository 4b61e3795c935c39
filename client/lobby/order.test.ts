import { expect, it } from "vitest";
import type { RunSummary } from "../../protocol/lobby.ts";
import { inOrder } from "./order.ts";

const run = (id: string, changes: Partial<RunSummary>): RunSummary => ({
  ...{ id, path: `/r/${id}`, name: id, operator: "", card: {}, state: "running", version: 1, parameters: 1 },
  ...{ tokensMerged: 0, tokenBudget: 1, volunteers: 2, deltas: 0, oneMore: null, heldOut: [], uniform: 5 },
  ...{ bytesPerToken: null, bytes: { first: 1, up: 1, down: 1 } },
  ...changes,
});

it("has the run first where one more browser brings most, by the server's measure or else by how many are there", () => {
  const { open, finished } = inOrder([
    run("paused", { state: "paused", volunteers: 0 }),
    run("crowded", { volunteers: 40, oneMore: 0.002 }),
    run("unmeasured", { volunteers: 3 }), // one of four
    run("done", { state: "finished" }),
    run("measured", { volunteers: 2, oneMore: 0.3 }),
    run("empty", { volunteers: 0 }),
  ]);
  expect(open.map(({ id }) => id)).toEqual(["empty", "measured", "unmeasured", "crowded", "paused"]);
  expect(finished.map(({ id }) => id)).toEqual(["done"]);
});
