import type { RunId } from "../../protocol/ids.ts";
import type { Lobby, OperatorRuns, RunSummary } from "../../protocol/lobby.ts";

/** A curve of `points` measurements, from guessing down to `best`. */
const curve = (points: number, best: number): RunSummary["heldOut"] =>
  Array.from({ length: points }, (_, i) => ({
    version: i * 12,
    tokens: i * 250_000,
    loss: best + (6.2 - best) * Math.exp(-i / (points / 4)),
  }));

const run = (id: string, changes: Partial<RunSummary>): RunSummary => ({
  ...{ id, path: `/r/${id}`, name: id, operator: "", card: {}, state: "running", version: 120 },
  ...{
    parameters: 289_000,
    tokensMerged: 24_000_000,
    tokenBudget: 200_000_000,
    volunteers: 3,
    deltas: 1_480,
  },
  run: id.padEnd(64, "0").replace(/[^0-9a-f]/g, "a") as RunId, // an example needs no real hash
  ...{ oneMore: 0.12, help: 0.12, heldOut: curve(30, 3.4), uniform: 6.24, bytesPerToken: 2.9 },
  bytes: { first: 1_156_000, up: 152_000, down: 81_000 },
  ...changes,
});

/** Several runs in all their states. */
export const exampleLobby = (changes: Partial<RunSummary> = {}): Lobby => ({
  runs: [
    run("whales", {
      name: "Whale logs",
      operator: "The Reading Room, reading-room.example",
      card: { purpose: "A small model of whalers’ logbooks, to find and date fragments of lost ones." },
      ...changes,
    }),
    run("welsh", {
      name: "Cymraeg",
      operator: "Llyfrgell y Dref",
      card: { purpose: "A model of Welsh that schools may use without asking anybody." },
      ...{
        volunteers: 0,
        oneMore: null,
        help: 1,
        version: 12,
        tokensMerged: 1_400_000,
        parameters: 10_400_000,
      },
      bytes: { first: 41_600_000, up: 1_900_000, down: 5_300_000 },
      heldOut: [],
    }),
    run("recipes", { name: "Recipes", state: "paused", help: 0, volunteers: 0, tokensMerged: 99_000_000 }),
    run("moby", {
      name: "Moby-Dick",
      operator: "The Reading Room, reading-room.example",
      card: { purpose: "Our first run: does it work at all?" },
      ...{
        state: "finished",
        help: 0,
        volunteers: 0,
        tokensMerged: 200_000_000,
        version: 1_211,
        deltas: 48_210,
        sample:
          "The whale was the ship, and the sea was a long of the boat; the captain had not the white head of the deck.",
      },
    }),
  ],
});

/** The same as their operator sees them, with one that does not open and one that is not made yet. */
export const exampleRuns = (changes: Partial<OperatorRuns> = {}): OperatorRuns => ({
  operator: "Ann",
  runs: [
    {
      id: "damaged",
      path: "/r/damaged",
      state: "failed",
      why: "data/runs/damaged/corpus.json is damaged: it is not JSON",
    },
    ...exampleLobby().runs.map(
      ({ id, path, state, name, version, volunteers, tokensMerged, tokenBudget }) => ({
        ...{ id, path, state, name, version, volunteers },
        part: tokensMerged / tokenBudget,
      }),
    ),
    { id: "new-one", path: "/r/new-one", state: "not-made" },
  ],
  log: [
    { at: "2026-11-23T09:12:00.000Z", who: "Ann", action: "create new-one" },
    { at: "2026-11-21T17:40:00.000Z", who: "Ann", action: "archive moby" },
  ],
  ...changes,
});
