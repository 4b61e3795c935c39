/** A process that runs a tiny run in a real directory until it kills itself: `killed-run.ts DIRECTORY CHANGE`. */
import { writeSync } from "node:fs";
import { livedIn } from "./kill-sweep.ts";

const [directory, at] = process.argv.slice(2);
if (directory === undefined || at === undefined) throw new Error("usage: killed-run.ts DIRECTORY CHANGE");
// Written at once: what is in a pipe outlives the process.
await livedIn(directory, Number(at), (receipt) => writeSync(1, `${JSON.stringify(receipt)}\n`));
