import { fork } from "node:child_process";
import { join } from "node:path";
import type { Job, Outcome } from "./job.ts";

/** Makes all runs, `processes` at a time; resolves to the outcomes in the jobs' order. */
export async function runAll(
  jobs: readonly Job[],
  processes: number,
  done: (outcome: Outcome) => void,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let next = 0;
  const work = async () => {
    const child = fork(join(import.meta.dirname, "child.ts"));
    try {
      for (let index = next++; index < jobs.length; index = next++) {
        const outcome = await new Promise<Outcome>((resolve, reject) => {
          const ended = (code: number | null) => reject(new Error(`a run's process ended with ${code}`));
          child.once("exit", ended);
          child.once("message", (message) => {
            child.off("exit", ended);
            resolve(message as Outcome); // child.ts'
          });
          child.send(jobs[index]!);
        });
        outcomes[index] = outcome;
        done(outcome);
      }
    } finally {
      child.kill();
    }
  };
  await Promise.all(Array.from({ length: Math.min(processes, jobs.length) }, work));
  return outcomes;
}
