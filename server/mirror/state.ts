import { utf8 } from "../../protocol/bytes.ts";
import { as, asArray, asObject, parseJson } from "../../protocol/guards.ts";
import { type Hash, isHash, isRunId, type RunId } from "../../protocol/ids.ts";
import { MirrorError, type MirrorTarget } from "./target.ts";

/** A mirror's own file: whose it is, and what is to be let go of one day. */
export const STATE_FILE = "murmuration.json";
const HEADERS = { "content-type": "application/json", "cache-control": "no-cache" };
/** Names that a mirror's own file may have: it is read back as anybody's. */
const MAX_NAMES = 10_000;
const NAME = /^(?:snapshots\/[0-9a-f]{64}|diffs\/(?:0|[1-9]\d{0,14})-[0-9a-f]{64})$/;

export interface MirrorState {
  readonly run: RunId;
  /** Snapshots and diffs (`diffs/VERSION-HASH`) that are there or may be, oldest first. */
  readonly names: readonly string[];
  /** Train shards that are there. */
  readonly shards: readonly Hash[];
}

/** What an earlier start has left. Throws a {@link MirrorError} for another run's mirror. */
export async function readState(target: MirrorTarget, run: RunId): Promise<MirrorState> {
  const bytes = await target.read(STATE_FILE);
  if (bytes === undefined) return { run, names: [], shards: [] };
  const state = parsed(bytes, target);
  if (state.run !== run) {
    throw new MirrorError(
      `${target.name} is the mirror of another run (${state.run.slice(0, 16)}…): name another place`,
    );
  }
  return state;
}

export const writeState = (target: MirrorTarget, state: MirrorState): Promise<void> =>
  target.write(STATE_FILE, utf8(JSON.stringify(state)), HEADERS);

function parsed(bytes: Uint8Array, target: MirrorTarget): MirrorState {
  try {
    const json = asObject(parseJson(bytes), STATE_FILE);
    return {
      run: as(isRunId, json.run, "run"),
      names: asArray(json.names, "names", MAX_NAMES).map((one) => as(isName, one, "names")),
      shards: asArray(json.shards, "shards", Number.MAX_SAFE_INTEGER).map((one) => as(isHash, one, "shards")),
    };
  } catch {
    throw new MirrorError(
      `${STATE_FILE} in ${target.name} is damaged: remove it, and everything is copied again`,
    );
  }
}

const isName = (value: unknown): value is string => typeof value === "string" && NAME.test(value);
