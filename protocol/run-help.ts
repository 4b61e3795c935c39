import { as, asArray, asNumber, asObject, type Json } from "./guards.ts";
import { isRunId, type RunId } from "./ids.ts";
import { isRunPath } from "./run-name.ts";

/** Runs of one server. Each open one costs memory and file descriptors. */
export const MAX_RUNS = 200;

/** Of a run's summary (rule M4), what tells where a browser helps most. */
export interface RunHelp {
  /** Below the server's base, without a slash at its end. */
  readonly path: string;
  /** The manifest's: another run of the same name has another. */
  readonly run: RunId;
  /**
   * How much one more browser helps here, from 0 to 1, by which the server orders its runs: `oneMore` where that is known,
   * all where nobody is at work, and else one part of those who then are; nothing where the run takes no work.
   */
  readonly help: number;
}

/** Reads one. Throws `bad-request`. */
export const parseRunHelp = (json: Json): RunHelp => ({
  path: as(isRunPath, json.path, "path"),
  run: as(isRunId, json.run, "run"),
  help: asNumber(json.help, "help", 0, 1),
});

/** Reads them from the list of runs. Throws `bad-request`. */
export const parseRunHelps = (json: Json): readonly RunHelp[] =>
  asArray(json.runs, "runs", MAX_RUNS).map((one) => parseRunHelp(asObject(one, "run")));
