import type { Candidate } from "../../client/worker/device/candidate.ts";
import { probe } from "../../client/worker/device/probe.ts";
import { type Inner, ModelError } from "../../model/contract/config.ts";
import type { DeviceName, DeviceReport } from "../../model/contract/trainer.ts";
import { ToyTrainer } from "./toy-trainer.ts";

export const shape = { layers: 1, heads: 1, width: 4, context: 8, vocabulary: 256 };
export const optimizer = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0, clip: 1 };

/** A clock that only steps move, and candidates whose steps take so long. */
export function timedCandidates() {
  let now = 0;
  const made: { id: string; trainer: ToyTrainer; inner: Inner | undefined }[] = [];
  const loaded: string[] = [];
  const candidate = (
    device: DeviceName,
    engine: DeviceReport["engine"],
    ms: number,
    refuse?: "load" | "make" | "step",
  ): Candidate => ({
    device,
    engine,
    load: async () => {
      loaded.push(`${device}/${engine}`);
      if (refuse === "load") throw new Error("the script is blocked");
      return async ({ optimizer: { inner } }) => {
        if (refuse === "make") throw new ModelError("device-unavailable", "no adapter");
        const trainer = new ToyTrainer();
        trainer.onStep = () => {
          if (refuse === "step") throw new ModelError("device-lost", "reset");
          now += ms;
        };
        made.push({ id: `${device}/${engine}`, trainer, inner });
        return trainer;
      };
    },
  });
  const alive = () => made.filter(({ trainer }) => !trainer.disposed).map(({ id }) => id);
  const run = (candidates: readonly Candidate[], remembered?: string, check = async () => undefined) =>
    probe({
      candidates,
      options: { shape, optimizer, batch: 2 },
      remembered,
      trying: () => undefined,
      clock: () => now,
      sleep: () => new Promise(() => undefined),
      signal: new AbortController().signal,
      check: check as () => Promise<void>,
    });
  const pass = (ms: number) => {
    now += ms;
  };
  return { candidate, alive, run, loaded, made, clock: () => now, pass };
}
