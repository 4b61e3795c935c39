/** One process makes one start after another: a Start comes in, a Started goes out. */
import { readCorpus } from "../learning/corpus.ts";
import { type Start, startOf } from "./start.ts";

const corpus = readCorpus("sotu");
process.on("message", async (start: Start) => {
  process.send!(await startOf(start, await corpus));
});
