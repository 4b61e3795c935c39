/** One turn in a process of its own: the job as JSON on the command line, the turn as JSON on standard output. */
import "./extensions.ts";
import type { Job } from "./job.ts";
import { perform } from "./perform.ts";

const job: Job = JSON.parse(process.argv[2]!); // from hosts.ts
const turn = await perform(job);
// The peers keep timers and threads of their own, and some print: the last line is the answer.
process.stdout.write(`\n${JSON.stringify(turn)}\n`, () => process.exit(0));
