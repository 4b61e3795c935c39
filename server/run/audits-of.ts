import type { Signer } from "../../protocol/identity.ts";
import type { Hash } from "../../protocol/ids.ts";
import type { Audited, Sampled, Settled } from "../coordinator/events.ts";
import type { State } from "../coordinator/state.ts";
import type { ModelPlace } from "../evaluate/ports.ts";
import { Gauge } from "../trust/gauge.ts";
import { standingOf } from "../trust/standing.ts";
import { Audits } from "./audits.ts";
import { drawId, numbersFrom } from "./draws.ts";
import type { RunDefinition } from "./genesis.ts";
import type { RunOptions } from "./options.ts";
import { VolunteerAudits } from "./volunteer-audits.ts";

/** The part of a run that audits need. */
export interface AuditedRun {
  readonly definition: Pick<RunDefinition, "id" | "settings" | "task" | "delta" | "rules">;
  /** Signs what volunteers are to audit. */
  readonly signer: Signer;
  readonly state: State;
  now(): number;
  snapshot(hash: Hash): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Where a version's weights are stored, or undefined. */
  placeOf(version: number, hash: Hash): Promise<ModelPlace | undefined>;
  record(event: Audited | Sampled | Settled): Promise<void>;
}

/** The audits of a run, or undefined where its settings or its shell want none. */
export function auditsOf(run: AuditedRun, options: RunOptions): Audits | undefined {
  const { settings, task, delta, rules } = run.definition;
  const { auditor, helpers, corpus, random, log } = options;
  const share = settings.trust.auditShare;
  if (auditor === undefined || share === 0) return undefined;
  const draw = numbersFrom(random);
  const failed = (error: unknown) => log.warn({ error: String(error) }, "a delta could not be audited");
  const volunteers = () =>
    new VolunteerAudits({
      ...{ run: run.definition.id, signer: run.signer, parameters: task.parameters, draw, failed },
      drawId: () => drawId(random),
      now: () => run.now(),
      standing: (volunteer) => standingOf(run.state.trust, volunteer),
      record: (settled) => run.record({ ...settled, at: run.now() }),
    });
  return new Audits({
    ...(settings.trust.auditors === "volunteers" && { volunteers: volunteers() }),
    ...(helpers && { helpers, placeOf: (version, hash) => run.placeOf(version, hash) }),
    auditor,
    share,
    freshPart: rules.freshPart,
    context: rules.context,
    batch: rules.batch,
    parameters: task.parameters,
    gauge: new Gauge(task.parameters, delta, task.tensors, () => draw() / 2 ** 32),
    draw,
    state: () => run.state,
    rates: (...about) => run.definition.rules.rates(...about),
    weights: async (hash) => {
      const file = await run.snapshot(hash);
      return file && task.decode(file);
    },
    shard: (hash) => corpus.shard(hash),
    record: (audited) => run.record({ ...audited, at: run.now() }),
    failed,
  });
}
