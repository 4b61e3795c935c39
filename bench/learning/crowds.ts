import type { ModelName, Outcome, Point } from "./job.ts";

/** One line of the table of times: how long so many volunteers took to a loss. */
export interface Crowd {
  readonly model: ModelName;
  readonly volunteers: number;
  /** The held-out loss, nats a token, that all swarms of the table reached. */
  readonly loss: number;
  /** Virtual seconds until then. */
  readonly seconds: number;
  /** How many times sooner than one volunteer. */
  readonly speedUp: number;
  readonly goodput: number;
  /** Tokens merged until then. */
  readonly tokens: number;
}

/** Holds swarms of different sizes against the lone volunteer: until the lowest loss that every one reached. */
export function crowdsOf(outcomes: readonly Outcome[]): Crowd[] {
  const swarms = outcomes.filter(({ job }) => job.kind === "swarm" && job.volunteers !== undefined);
  const models = [...new Set(swarms.map(({ job }) => job.model))];
  return models.flatMap((model) => {
    const runs = swarms.filter(({ job }) => job.model === model);
    const loss = Math.max(...runs.map(({ curve }) => Math.min(...curve.map((point) => point.loss))));
    const crowds = runs.map(({ job, curve, goodput }) => {
      const { ms, tokens } = reaching(curve, loss);
      const volunteers = job.kind === "swarm" ? (job.volunteers ?? 1) : 1;
      return { model, volunteers, loss, seconds: ms / 1_000, goodput, tokens: Math.round(tokens) };
    });
    const alone = crowds.find(({ volunteers }) => volunteers === 1)?.seconds ?? Number.NaN;
    return crowds.map((crowd) => ({ ...crowd, speedUp: alone / crowd.seconds }));
  });
}

/** When a curve first comes down to `loss`, between its points by a straight line. */
function reaching(curve: readonly Point[], loss: number): { ms: number; tokens: number } {
  const index = curve.findIndex((point) => point.loss <= loss);
  const [after, before] = [curve[index], curve[index - 1]];
  if (after === undefined) return { ms: Number.NaN, tokens: Number.NaN };
  if (before === undefined) return after;
  const part = (before.loss - loss) / (before.loss - after.loss);
  const between = (from: number, to: number) => from + part * (to - from);
  return { ms: between(before.ms, after.ms), tokens: between(before.tokens, after.tokens) };
}

/** The table as text. */
export function tableOfCrowds(crowds: readonly Crowd[]): string {
  const lines = crowds.map(({ model, volunteers, loss, seconds, speedUp, goodput, tokens }) =>
    [
      model.padEnd(5),
      String(volunteers).padStart(10),
      loss.toFixed(3).padStart(7),
      seconds.toFixed(0).padStart(9),
      `${speedUp.toFixed(1)}×`.padStart(8),
      `${(100 * goodput).toFixed(0)}%`.padStart(7),
      `${(tokens / 1e6).toFixed(2)}M`.padStart(7),
    ].join("  "),
  );
  return ["model  volunteers  to loss  seconds  speed-up  goodput   tokens", ...lines].join("\n");
}
