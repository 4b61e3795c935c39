import { type ChildProcess, fork } from "node:child_process";

/**
 * Makes all runs, `processes` at a time, each process a `child` that answers every job it is sent with its outcome;
 * resolves to the outcomes in the order of the jobs. Rejects as soon as a process ends before its time.
 */
export async function runAll<Job extends object, Outcome>(
  child: string,
  jobs: readonly Job[],
  processes: number,
  done: (outcome: Outcome) => void,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let next = 0;
  const children = Array.from({ length: Math.min(processes, jobs.length) }, () => fork(child));
  const work = async (child: ChildProcess) => {
    for (let index = next++; index < jobs.length; index = next++) {
      const outcome = await runOne<Outcome>(child, jobs[index]!);
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

function runOne<Outcome>(child: ChildProcess, job: object): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`a run's process ended with ${code}`));
    child.once("exit", ended);
    child.once("message", (outcome) => {
      child.off("exit", ended);
      resolve(outcome as Outcome); // the child's own
    });
    child.send(job);
  });
}
