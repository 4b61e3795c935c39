import { browserCandidates } from "../../client/worker/device/devices.ts";
import { probe } from "../../client/worker/device/probe.ts";
import { NoDevice } from "../../client/worker/device/trainers.ts";
import { sleep } from "../../client/worker/time.ts";
import type { Inner } from "../../model/contract/config.ts";
import type { DeviceName } from "../../model/contract/trainer.ts";

const shape = { layers: 1, heads: 2, width: 32, context: 16, vocabulary: 256 };
const optimizer = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 };

/** Probes this browser, among all devices or one, for a run with this inner optimiser; the reasons where there is none. */
async function run(only?: DeviceName, inner: Inner = "adamw") {
  const candidates = browserCandidates(location.origin).filter(
    ({ device }) => only === undefined || device === only,
  );
  try {
    const { trainer, results } = await probe({
      candidates,
      options: { shape, optimizer: { ...optimizer, inner }, batch: 2 },
      trying: () => undefined,
      clock: () => performance.now(),
      sleep: only === undefined ? sleep : () => new Promise(() => undefined), // a slow machine's only one gets its time
      signal: new AbortController().signal,
    });
    trainer.dispose();
    return { report: trainer.report, results };
  } catch (error) {
    if (error instanceof NoDevice) return { reasons: error.message };
    throw error;
  }
}

const page = { run };
export type ProbePage = typeof page;

declare global {
  var probePage: ProbePage;
}
globalThis.probePage = page;
