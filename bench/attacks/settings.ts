import { parseSettings } from "../../server/run/settings.ts";
import type { Job } from "./job.ts";

/** The settings of a run so small that it takes some fifteen seconds. */
export const settingsOf = ({ seed, tokens, rule }: Job) =>
  parseSettings({
    rounds: "turns", // its rounds are of so many deltas each
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
