import { as, asArray, asObject, asText } from "../../protocol/guards.ts";
import { isRunId, type RunId } from "../../protocol/ids.ts";
import { MAX_RUNS } from "../../protocol/run-help.ts";
import { ANYWHERE } from "./anywhere.ts";

/**
 * A visitor's consent to help any of a server's runs, by their hashes: a run that is made later asks for itself. Kept for all
 * pages of the origin; `server` tells it from another server's under another path.
 */
export interface Anywhere {
  readonly server: string;
  readonly runs: readonly RunId[];
}

type AnywhereStorage = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/** What is kept for this server; storage that is denied or holds something else counts as never asked. */
export function readAnywhere(storage: AnywhereStorage | undefined, server: string): Anywhere | undefined {
  try {
    const json = asObject(JSON.parse(storage?.getItem(ANYWHERE) ?? "null"), "anywhere");
    const runs = asArray(json.runs, "runs", MAX_RUNS).map((run) => as(isRunId, run, "run"));
    return asText(json.server, "server", 1_000) === server ? { server, runs } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether it could be kept. */
export function keepAnywhere(storage: AnywhereStorage | undefined, anywhere: Anywhere): boolean {
  try {
    storage?.setItem(ANYWHERE, JSON.stringify(anywhere));
    return storage !== undefined;
  } catch {
    return false;
  }
}

export function forgetAnywhere(storage: AnywhereStorage | undefined): void {
  try {
    storage?.removeItem(ANYWHERE);
  } catch {
    // nothing could be kept either
  }
}

const MOVED = /^#moved(?:=([a-z0-9-]{1,40}))?$/;

/** The fragment of an address to which the server's measure led, from another run or from the list of runs. */
export const movedTo = (path: string, from?: string): string =>
  `${path}/#moved${from === undefined ? "" : `=${from}`}`;

/** Reads it: from which run, if from one. */
export function movedFrom(hash: string): { readonly from: string | undefined } | undefined {
  const found = MOVED.exec(hash);
  return found === null ? undefined : { from: found[1] };
}
