/** One process makes one run after another: a Job comes in, an Outcome goes out. */
import { type BenchCorpus, type CorpusName, readCorpus } from "./corpus.ts";
import type { Job } from "./job.ts";
import { runSwarm } from "./swarm.ts";
import { runSync } from "./sync.ts";

const corpora = new Map<CorpusName, BenchCorpus>();

process.on("message", async (job: Job) => {
  const corpus = corpora.get(job.corpus) ?? (await readCorpus(job.corpus));
  corpora.set(job.corpus, corpus);
  process.send!(job.kind === "swarm" ? await runSwarm(job, corpus) : await runSync(job, corpus));
});
