/** One process makes one run after another: a Job comes in, an Outcome goes out. */

import { runBound } from "./bound.ts";
import { type BenchCorpus, type CorpusName, readCorpus } from "./corpus.ts";
import type { CrowdJob, Job, Outcome, SwarmJob } from "./job.ts";
import { runSwarm } from "./swarm.ts";
import { runSync } from "./sync.ts";

const corpora = new Map<CorpusName, BenchCorpus>();

process.on("message", async (job: Job) => {
  const corpus = corpora.get(job.corpus) ?? (await readCorpus(job.corpus));
  corpora.set(job.corpus, corpus);
  process.send!(await run(job, corpus));
});

function run(job: Job, corpus: BenchCorpus): Promise<Outcome> {
  if (job.kind === "sync") return runSync(job, corpus);
  return job.kind === "bound" ? runBound(job, corpus) : runSwarm<SwarmJob | CrowdJob>(job, corpus);
}
