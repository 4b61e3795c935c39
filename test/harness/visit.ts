import type { Cache } from "../../client/cache/cache.ts";
import { memoryCache } from "../../client/cache/cache.ts";
import { openIdentity } from "../../client/cache/entries.ts";
import { Control } from "../../client/worker/control.ts";
import type { OpenAuditor } from "../../client/worker/deps.ts";
import type { Trainers } from "../../client/worker/device/trainers.ts";
import { volunteer } from "../../client/worker/loop.ts";
import type { Report } from "../../client/worker/messages.ts";
import type { ToyServer } from "./toy-run.ts";
import { ToyTrainer, toyFile } from "./toy-trainer.ts";

/** A visit: one loop against a server, on a clock that only sleeping moves. */
export function visit(
  server: ToyServer,
  cache: Cache = memoryCache(),
  trainers: Trainers = always(new ToyTrainer()),
  openAuditor?: OpenAuditor,
) {
  let now = 0;
  const reports: Report[] = [];
  const sleeps: number[] = [];
  const watchers: ((report: Report) => void)[] = [];
  const control = new Control((report) => {
    reports.push(report);
    for (const watch of watchers) watch(report);
  }, 1);
  const report = (one: Report) => {
    reports.push(one);
    for (const watch of watchers) watch(one);
  };
  const run = () =>
    volunteer({
      api: server,
      control,
      report,
      clock: () => now,
      random: () => 0.5,
      sleep: async (ms, signal) => {
        signal.throwIfAborted();
        sleeps.push(ms);
        now += ms;
      },
      open: async () => ({
        cache,
        identity: await openIdentity(cache),
        file: toyFile,
        trainers,
        ...(openAuditor && { openAuditor }),
        loadTokenizer: () => Promise.reject(new Error("the toy has no text")),
      }),
    });
  const count = (type: Report["type"]) => reports.filter((one) => one.type === type).length;
  /** Runs until so many reports of a type have come. */
  const until = (type: Report["type"], times: number) => {
    watchers.push((one) => one.type === type && count(type) >= times && control.stop());
    return run();
  };
  const phases = () =>
    reports
      .flatMap((one) => (one.type === "phase" ? [one.phase.phase] : []))
      .filter((one, i, all) => one !== all[i - 1]);
  return {
    control,
    reports,
    sleeps,
    run,
    until,
    count,
    phases,
    watch: (watcher: (report: Report) => void) => watchers.push(watcher),
    pass: (ms: number) => {
      now += ms;
    },
  };
}

/** One trainer, as if no device ever failed. */
export function always(trainer: ToyTrainer): Trainers {
  return {
    take: async () => trainer,
    lost: () => undefined,
    proved: () => undefined,
    dispose: () => trainer.dispose(),
  };
}
