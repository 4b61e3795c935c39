import { expect, it } from "vitest";
import type { RunId } from "../../protocol/ids.ts";
import type { RunSummary } from "../../protocol/lobby.ts";
import { inOrder } from "./order.ts";

const run = (id: string, changes: Partial<RunSummary>): RunSummary => ({
  ...{
    id,
    path: `/r/${id}`,
    run: "9".repeat(64) as RunId,
    help: 0,
    name: id,
    operator: "",
    card: {},
    state: "running",
    version: 1,
    parameters: 1,
  },
  ...{ tokensMerged: 0, tokenBudget: 1, volunteers: 2, deltas: 0, oneMore: null, heldOut: [], uniform: 5 },
  ...{ bytesPerToken: null, bytes: { first: 1, up: 1, down: 1 } },
  ...changes,
});

it("has the run first where one more browser helps most, by the server's measure", () => {
  const { open, finished } = inOrder([
    run("paused", { state: "paused" }),
    run("crowded", { help: 0.002 }),
    run("done", { state: "finished" }),
    run("measured", { help: 0.3 }),
    run("empty", { help: 1 }),
  ]);
  expect(open.map(({ id }) => id)).toEqual(["empty", "measured", "crowded", "paused"]);
  expect(finished.map(({ id }) => id)).toEqual(["done"]);
});
