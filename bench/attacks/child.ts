/** One process makes one run after another: a Job comes in, an Outcome goes out. */
import { attackCorpus } from "./corpus.ts";
import type { Job } from "./job.ts";
import { runAttack } from "./swarm.ts";

const corpus = attackCorpus();
process.on("message", async (job: Job) => {
  process.send!(await runAttack(job, await corpus));
});
