import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import type { Job, Outcome } from "./job.ts";

/**
 * Makes all runs, `processes` at a time, each in a process of its own; resolves to the outcomes in the order of
 * the jobs. Rejects as soon as a process ends before its time.
 */
export async function runAll(
  jobs: readonly Job[],
  processes: number,
  done: (outcome: Outcome) => void,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let next = 0;
  const children = Array.from({ length: Math.min(processes, jobs.length) }, () =>
    fork(join(import.meta.dirname, "child.ts")),
  );
  const work = async (child: ChildProcess) => {
    for (let index = next++; index < jobs.length; index = next++) {
      const outcome = await runOne(child, jobs[index]!);
      outcomes[index] = outcome;
      done(outcome);
    }
  };
  try {
    await Promise.all(children.map(work));
  } finally {
    for (const child of children) child.kill();
  }
  return outcomes;
}

function runOne(child: ChildProcess, job: Job): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`a run's process ended with ${code}`));
    child.once("exit", ended);
    child.once("message", (outcome) => {
      child.off("exit", ended);
      resolve(outcome as Outcome); // child.ts'
    });
    child.send(job);
  });
}
