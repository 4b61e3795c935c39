import { type AuditJob, measureDelta } from "../../model/audit/measure.ts";
import type { Trainer } from "../../model/contract/trainer.ts";
import { roundTripOf } from "../../protocol/round-trip.ts";
import type { Evidence } from "../trust/audit.ts";

/** Measures a delta as the server's own audits do: the other text is gate text, where the job names none. */
export const examine = (
  trainer: Trainer,
  gate: Uint16Array,
  context: number,
  job: AuditJob,
): Promise<Evidence> =>
  measureDelta(trainer, job.other ?? gate, context, job, roundTripOf(job.codec, job.weights.length));
