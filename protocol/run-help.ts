import type { Json } from "./guards.ts";
import { isRunId } from "./ids.ts";
import { isRunPath } from "./run-name.ts";
import { id, list, message, number, object } from "./schema.ts";

/** Runs of one server. Each open one costs memory and file descriptors. */
export const MAX_RUNS = 200;

export const RUN_HELP = {
  /** Below the server's base, without a slash at its end. */
  path: id(isRunPath),
  /** The manifest's: another run of the same name has another. */
  run: id(isRunId),
  /**
   * How much one more browser helps here, from 0 to 1, by which the server orders its runs: `oneMore` where that is known,
   * all where nobody is at work, and else one part of those who then are; nothing where the run takes no work.
   */
  help: number(0, 1),
};

const helps = message({ runs: list(object(RUN_HELP), MAX_RUNS) });
/** Of a run's summary (rule M4), what tells where a browser helps most. */
export type RunHelp = ReturnType<typeof helps>["runs"][number];

/** Reads them from the list of runs. Throws `bad-request`. */
export const parseRunHelps = (json: Json): readonly RunHelp[] => helps(json).runs;
