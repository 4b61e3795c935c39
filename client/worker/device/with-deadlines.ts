import { ModelError } from "../../../model/contract/config.ts";
import type { Trainer } from "../../../model/contract/trainer.ts";
import { type After, TimedOut, withDeadline } from "../../../model/lib/deadline.ts";

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
    step: (tokens, batch, rate) => limit(trainer.step(tokens, batch, rate)),
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
