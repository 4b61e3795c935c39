/** One process makes one soak after another: a Soak comes in, what came of it goes out. */
import { defaultCorpus } from "../defaults/corpus.ts";
import { runSoak, type Soak } from "./soak.ts";

const corpus = defaultCorpus();
process.on("message", async (soak: Soak) => {
  process.send!(await runSoak(soak, await corpus));
});
