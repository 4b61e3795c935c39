/** One process makes one run after another: a Cell comes in, its outcome goes out. */
import { runSwarm } from "../learning/swarm.ts";
import { defaultCorpus } from "./corpus.ts";
import type { Cell } from "./job.ts";

const corpus = defaultCorpus();
process.on("message", async (cell: Cell) => {
  process.send!(await runSwarm(cell, await corpus));
});
