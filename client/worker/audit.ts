import { type MeasuringTrainer, measureDelta } from "../../model/audit/measure.ts";
import { ModelError } from "../../model/contract/config.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { checkFrame, decodeFrame } from "../../protocol/frame.ts";
import type { Hash } from "../../protocol/ids.ts";
import { roundTripOf } from "../../protocol/round-trip.ts";
import { type AuditTicket, type Measured, reportable, verifyAudit } from "../../protocol/shared-audit.ts";
import { shardOf } from "../cache/shards.ts";
import { ServerAway, WrongBytes } from "../transport/away.ts";
import type { OpenAuditor, RoundDeps } from "./deps.ts";
import { restOf } from "./time.ts";

/**
 * Measures somebody's delta and tells the server (rules AU5 to AU8). One that cannot be made is left to others: the server
 * asks them once its time is over, and the work goes on here.
 */
export async function makeAudit(round: RoundDeps, open: OpenAuditor, audit: AuditTicket): Promise<void> {
  const { api, identity, control } = round;
  control.enter({ phase: "auditing" });
  try {
    const measured = await measure(round, open, audit);
    await control.checkpoint();
    await api.answerAudit(identity, { audit: audit.id, measured }, { signal: control.signal });
  } catch (error) {
    const others =
      error instanceof ProtocolError || error instanceof WrongBytes || error instanceof ServerAway;
    if (!others && !(error instanceof ModelError)) throw error;
  }
}

async function measure(round: RoundDeps, open: OpenAuditor, audit: AuditTicket): Promise<Measured> {
  const { api, cache, control, manifest, replica, identity } = round;
  const { signal } = control;
  if (audit.volunteer !== identity.key || !(await verifyAudit(manifest.server, audit))) {
    throw new WrongBytes("an audit that is not ours, or not signed by this run's server");
  }
  const { parameters } = manifest;
  const text = (hash: Hash) => shardOf(cache, hash, () => api.shard(hash, { signal }));
  const frame = await api.auditedDelta(audit, { signal });
  checkFrame(frame, parameters, audit.delta);
  const { hash, inner, delta: codec, draw: seed, batches } = audit;
  const job = {
    ...{ ticket: audit, codec, seed, batches, shard: await text(audit.shard) },
    weights: await replica.weightsOf(hash),
    delta: decodeFrame(frame, parameters),
  };
  const other = await text(audit.other);
  const trainer = await open(inner);
  try {
    const gentle = resting(round, trainer);
    const { context } = manifest.model;
    return reportable(await measureDelta(gentle, other, context, job, roundTripOf(codec, parameters)));
  } finally {
    trainer.dispose();
  }
}

/** A trainer that heeds the visitor between two pieces of work, as training does. */
function resting({ control, clock, sleep }: RoundDeps, trainer: MeasuringTrainer): MeasuringTrainer {
  const rests = async <T>(work: () => Promise<T>): Promise<T> => {
    await control.checkpoint();
    const begun = clock();
    const result = await work();
    await sleep(restOf(clock() - begun, control.share), control.signal);
    return result;
  };
  return {
    load: (...given) => rests(() => trainer.load(...given)),
    step: (...given) => rests(() => trainer.step(...given)),
    evaluate: (...given) => rests(() => trainer.evaluate(...given)),
    delta: () => rests(() => trainer.delta()),
    extract: (codec) => rests(() => trainer.extract(codec)),
  };
}
