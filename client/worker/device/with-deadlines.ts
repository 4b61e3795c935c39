import { ModelError } from "../../../model/contract/config.ts";
import type { Rest, Trainer } from "../../../model/contract/trainer.ts";
import { type After, afterAwake, TimedOut, withDeadline } from "../../../model/lib/deadline.ts";

/** The same trainer, whose calls are waited for for `ms` milliseconds each: one that does not answer is a lost device. */
export function withDeadlines(trainer: Trainer, ms: number, after?: After): Trainer {
  const limit = <T>(call: Promise<T>): Promise<T> =>
    withDeadline(call, ms, "the device", after).catch((error: unknown) => {
      throw error instanceof TimedOut ? new ModelError("device-lost", error.message) : error;
    });
  return {
    report: trainer.report,
    load: (weights, carried) => limit(trainer.load(weights, carried)),
    step: (tokens, batch, rate, rest) =>
      rest === undefined
        ? limit(trainer.step(tokens, batch, rate))
        : piecewise((between) => trainer.step(tokens, batch, rate, between), rest, ms, after),
    losses: () => limit(trainer.losses()),
    delta: () => limit(trainer.delta()),
    extract: (codec) => limit(trainer.extract(codec)),
    adjustResidual: (factor, plus) => limit(trainer.adjustResidual(factor, plus)),
    carried: () => limit(trainer.carried()),
    vector: (which) => limit(trainer.vector(which)),
    evaluate: (tokens, batch) => limit(trainer.evaluate(tokens, batch)),
    logits: (tokens) => limit(trainer.logits(tokens)),
    dispose: () => trainer.dispose(),
  };
}

/** The limit holds for each piece of work between two rests; a rest, or a pause that it turns into, lasts as long as it may. */
function piecewise(
  work: (rest: Rest) => Promise<void>,
  rest: Rest,
  ms: number,
  after?: After,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = () =>
      reject(new ModelError("device-lost", `the device did not answer within ${ms / 1_000} s`));
    const start = () => afterAwake(ms, late, after);
    let cancel = start();
    const between: Rest = async (worked) => {
      cancel();
      try {
        await rest(worked);
      } finally {
        cancel = start();
      }
    };
    work(between)
      .finally(() => cancel())
      .then(resolve, reject);
  });
}
