import { ProtocolError } from "../../protocol/errors.ts";
import type { Upload } from "../../protocol/upload.ts";
import { MAX_POOL, PAUSED_RETRY_MS } from "../coordinator/rules.ts";
import type { State } from "../coordinator/state.ts";
import type { Facts } from "../trust/candidate.ts";
import { admitted, standingOf } from "../trust/standing.ts";
import { MAX_SUSPECTS, medianSize, suspicionOf } from "../trust/weigh.ts";
import { judge } from "./check.ts";
import type { RunDefinition } from "./genesis.ts";

/** Milliseconds after which a sender may try again while audits catch up. */
const AUDITS_RETRY_MS = 5_000;

/** The run at the moment when a delta comes in. */
export interface Situation {
  readonly state: State;
  readonly definition: Pick<RunDefinition, "delta"> & {
    readonly task: Pick<RunDefinition["task"], "parameters">;
    readonly settings: Pick<RunDefinition["settings"], "optimizer">;
  };
  /** The run clock, ms. */
  readonly now: number;
  /** Uploads that were let in and are not yet in the state. */
  readonly coming: number;
}

/**
 * Whether a run takes this delta now: first who sent it, then the delta itself. Pure. Returns its L2 norm. Throws `banned`,
 * `quarantined`, and what {@link judge} throws.
 */
export function admit(upload: Upload, { state, definition, now, coming }: Situation): number {
  const standing = standingOf(state.trust, upload.ticket.volunteer);
  if (standing.banned) {
    throw new ProtocolError("banned", "the operator has banned this volunteer", PAUSED_RETRY_MS);
  }
  if (!admitted(standing, now)) {
    const wait = Math.max(PAUSED_RETRY_MS, standing.until - now);
    throw new ProtocolError("quarantined", "a delta of this volunteer was found bad", wait);
  }
  return judge(upload, {
    version: state.version,
    now,
    floor: state.floor,
    finished: state.phase === "finished",
    waiting: state.pool.length + coming,
    maxWaiting: MAX_POOL,
    parameters: definition.task.parameters,
    delta: definition.delta,
    weightDecay: definition.settings.optimizer.weightDecay,
  });
}

/** Suspects wait for audits, and must not fill the pool while they do. Throws `too-many-requests`. */
export function requireSpace(facts: Facts, { pool, trust }: Pick<State, "pool" | "trust">): void {
  const median = medianSize(pool, trust);
  if (suspicionOf({ facts }, median) === undefined) return;
  const waiting = pool.filter((delta) => suspicionOf(delta, median) !== undefined).length;
  if (waiting >= MAX_SUSPECTS) {
    throw new ProtocolError("too-many-requests", "audits have to catch up first", AUDITS_RETRY_MS);
  }
}
