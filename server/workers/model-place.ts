import { as, asArray, asInteger, asObject } from "../../protocol/guards.ts";
import { isHash } from "../../protocol/ids.ts";
import type { ModelPlace } from "../evaluate/ports.ts";

/** Diffs from a version that is stored whole to another: as many as `snapshotEvery` may be, and a few. */
const MAX_DIFFS = 10_000;

/** Throws `bad-request`. */
export function parseModelPlace(value: unknown): ModelPlace {
  const json = asObject(value, "model");
  const stored = asObject(json.from, "from");
  const from = {
    version: asInteger(stored.version, "from.version", 0, Number.MAX_SAFE_INTEGER),
    hash: as(isHash, stored.hash, "from.hash"),
  };
  const diffs = asArray(json.diffs, "diffs", MAX_DIFFS);
  const version = from.version + diffs.length;
  return {
    version: asInteger(json.version, "version", version, version),
    hash: as(isHash, json.hash, "hash"),
    from,
    diffs: diffs.map((hash) => as(isHash, hash, "a diff")),
  };
}
