import type { Auditor } from "../evaluate/ports.ts";
import type { JobLine } from "../lib/jobs.ts";
import type { Log } from "../lib/log.ts";
import { Mutex } from "../lib/mutex.ts";
import { programVersion } from "../lib/program-version.ts";
import { Editions } from "../workers/editions.ts";
import { RemoteHelpers } from "../workers/helpers.ts";
import type { MeasuringData } from "./language-evaluator.ts";

/** The workers of a run, to the server that leads it. */
export async function helpersOn(line: JobLine, data: MeasuringData, log: Log): Promise<RemoteHelpers> {
  const editions = new Editions({ ...data, program: await programVersion() });
  return new RemoteHelpers({ line, editions, log, now: () => performance.now() });
}

/** An auditor that is asked by several at once: where workers audit too, what they leave comes in any order. */
export function oneByOne<T extends Auditor & { rest(): Promise<void>; close(): Promise<void> }>(
  auditor: T,
): T {
  const mutex = new Mutex();
  return {
    ...auditor,
    audit: (job) => mutex.run(() => auditor.audit(job)),
    direct: (job) => mutex.run(() => auditor.direct(job)),
    effects: (job) => mutex.run(() => auditor.effects(job)),
  } satisfies Auditor & T;
}
