import { ModelError } from "../../../model/contract/config.ts";
import type { Rest, Trainer } from "../../../model/contract/trainer.ts";
import { type After, afterAwake, TimedOut, withDeadline } from "../../../model/lib/deadline.ts";

/** Milliseconds for a step or a reading: most leases are shorter, so a device that takes longer has hung. */
const CALL_MS = 120_000;

/** The same trainer, none of whose calls is waited for for ever: one that does not answer is a lost device. */
export function withDeadlines(trainer: Trainer, after?: After): Trainer {
  const limit = <T>(call: Promise<T>): Promise<T> =>
    withDeadline(call, CALL_MS, "the device", after).catch((error: unknown) => {
      throw error instanceof TimedOut ? new ModelError("device-lost", error.message) : error;
    });
  return {
    report: trainer.report,
    load: (weights, carried) => limit(trainer.load(weights, carried)),
    step: (tokens, batch, rate, rest) =>
      rest === undefined
        ? limit(trainer.step(tokens, batch, rate))
        : piecewise((between) => trainer.step(tokens, batch, rate, between), rest, after),
    losses: () => limit(trainer.losses()),
    delta: () => limit(trainer.delta()),
    extract: (codec) => limit(trainer.extract(codec)),
    adjustResidual: (factor, plus) => limit(trainer.adjustResidual(factor, plus)),
    carried: () => limit(trainer.carried()),
    evaluate: (tokens, batch) => limit(trainer.evaluate(tokens, batch)),
    logits: (tokens) => limit(trainer.logits(tokens)),
    dispose: () => trainer.dispose(),
  };
}

/** The limit holds for each piece of work between two rests; a rest, or a pause that it turns into, lasts as long as it may. */
function piecewise(work: (rest: Rest) => Promise<void>, rest: Rest, after?: After): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = () =>
      reject(new ModelError("device-lost", `the device did not answer within ${CALL_MS / 1_000} s`));
    const start = () => afterAwake(CALL_MS, late, after);
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
