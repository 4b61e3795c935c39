import { parseSettings } from "../../server/run/settings.ts";
import type { Job } from "./job.ts";

/** Milliseconds that a round of tickets takes; after it a version closes whoever is missing. */
export const ROUND_MS = 10_000;
/** Milliseconds from a ticket on a clock to its delta: less than tickets of such rounds train for. */
export const TRAIN_MS = 8_000;

/** Its rounds are of so many deltas each; or the product's own, with Muon inside and a crowd's start, of the same length. */
const ROUNDS = {
  turns: { rounds: "turns" },
  clock: { rounds: { seconds: ROUND_MS / 1_000, batch: 4 }, delta: "dense4" },
} as const;

/** The settings of a run so small that it takes some fifteen seconds. */
export const settingsOf = ({ seed, tokens, rule, rounds = "turns" }: Job) =>
  parseSettings({
    ...ROUNDS[rounds],
    seed,
    model: { layers: 1, heads: 2, width: 32, context: 32 },
    batch: 4,
    steps: 5,
    tokenBudget: tokens,
    learningRate: 4e-3,
    warmupTokens: 8_000,
    trust:
      rule === "default"
        ? {}
        : { rules: rule === "clipped-mean" ? rule : "mean", auditShare: 0, tripwire: 1_000 },
  });
