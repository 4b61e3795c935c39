import { frameBytes } from "../../protocol/frame.ts";
import { type Identity, sha256 } from "../../protocol/identity.ts";
import type { Closed, RolledBack } from "../coordinator/events.ts";
import { sixDigits } from "../lib/six-digits.ts";
import { mergeHere } from "../merge/merger.ts";
import { StoreError } from "../store/store.ts";
import type { EventLog } from "./event-log.ts";
import type { RunDefinition } from "./genesis.ts";
import { seal } from "./history.ts";
import { hashInPieces } from "./large-hash.ts";
import { mergeTermsOf } from "./merge-rule.ts";
import type { RunOptions } from "./options.ts";
import type { Projections } from "./projections.ts";
import type { PublishedVersions } from "./published-versions.ts";
import { jobOf } from "./remerge.ts";
import type { RunClock } from "./run-clock.ts";

export interface VersionParts {
  readonly options: Pick<RunOptions, "store" | "merger" | "mirror" | "log">;
  readonly identity: Identity;
  readonly definition: () => RunDefinition;
  readonly clock: RunClock;
  readonly events: EventLog;
  readonly projections: Pick<Projections, "placesOf">;
  readonly versions: PublishedVersions;
}

/** Merges a closed version, and journals its successor once its diff is stored. */
export async function mergeVersion(parts: VersionParts, closed: Closed): Promise<void> {
  const { options, events, versions, projections, clock } = parts;
  const { store, merger = mergeHere } = options;
  const definition = parts.definition();
  const { head } = definition.task;
  const { storing } = versions;
  const bytes = frameBytes(definition.delta, definition.task.parameters);
  const about = { ...(head !== undefined && { head }), ...(storing && { storing }), frameBytes: bytes };
  const job = jobOf(store, versions.current.vectors, projections.placesOf(closed), about);
  const { vectors, diff, norm, model } = await merger.merge(definition.merging(closed), job);
  const hash = await sha256(diff);
  const { file } = await versions.next.merged(closed.version, vectors, { frame: diff, hash });
  const version = closed.version + 1;
  const hashes = { model: model ?? (await hashInPieces(file)), diff: hash };
  const made = { version, ...hashes, ...mergeTermsOf(closed) };
  await options.mirror?.offer({ from: closed.version, diff, hash: made.model, file });
  const { closing, record: previous } = events.state;
  const merged = closing?.entries ?? [];
  const sealed = await seal(parts.identity, definition, { ...made, previous, merged });
  await events.record({
    type: "published",
    // Read after the signing: a time older than an event already in the journal sets the run clock back at a restart.
    at: clock.now(),
    version,
    hash: made.model,
    diff: made.diff,
    diffBytes: diff.length,
    ...(definition.rules.rounds && { norm: sixDigits(norm) }),
    ...sealed,
  });
}

/**
 * Publishes a version with the weights of `to`, or of the newest version before it that is stored whole. Rejects with a
 * StoreError where none is.
 */
export async function takeBack(parts: VersionParts, to: number, reason: RolledBack["reason"]): Promise<void> {
  const { options, identity, events, versions, clock } = parts;
  await versions.idle(); // it lets go of snapshots, and no other is stored until this has ended
  // The version that the divergence detector chose may be gone by now: the oldest that is stored is nearest to it.
  const place = versions.storedAtMost(to) ?? (reason === "operator" ? undefined : versions.stored[0]);
  if (place === undefined) throw new StoreError(`no version up to ${to} is stored whole`);
  const { version: newest, record: previous } = events.state;
  const version = newest + 1;
  const { file } = await versions.next.stored(place.hash, version);
  await options.mirror?.offer({ from: newest, hash: place.hash, file });
  const made = { version, model: place.hash, diff: place.hash, merged: [], backTo: place.version };
  const sealed = await seal(identity, parts.definition(), { ...made, previous });
  const about = { version, to: place.version, hash: place.hash, reason };
  await events.record({ type: "rolled-back", at: clock.now(), ...about, ...sealed });
  options.log.warn(about, "run rolled back");
}
