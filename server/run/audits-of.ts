import type { Hash } from "../../protocol/ids.ts";
import type { Audited } from "../coordinator/events.ts";
import type { State } from "../coordinator/state.ts";
import { Gauge } from "../trust/gauge.ts";
import { Audits } from "./audits.ts";
import type { RunDefinition } from "./genesis.ts";
import type { RunOptions } from "./options.ts";

/** The part of a run that audits need. */
export interface AuditedRun {
  readonly definition: Pick<RunDefinition, "settings" | "task" | "delta" | "rules">;
  readonly state: State;
  now(): number;
  snapshot(hash: Hash): Promise<Uint8Array<ArrayBuffer> | undefined>;
  record(event: Audited): Promise<void>;
}

/** The audits of a run, or undefined where its settings or its shell want none. */
export function auditsOf(run: AuditedRun, options: RunOptions): Audits | undefined {
  const { settings, task, delta, rules } = run.definition;
  const { auditor, corpus, random, log } = options;
  const share = settings.trust.auditShare;
  if (auditor === undefined || share === 0) return undefined;
  const draw = () => new DataView(random(4).buffer).getUint32(0, true);
  return new Audits({
    auditor,
    share,
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
    failed: (error) => log.warn({ error: String(error) }, "a delta could not be audited"),
  });
}
