import type { CodecSpec } from "../../protocol/codec/codec.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { checkFrame } from "../../protocol/frame.ts";
import { donePart, type Ticket } from "../../protocol/ticket.ts";
import { stepsDone, type Upload } from "../../protocol/upload.ts";
import { MAX_POOL, MAX_STALENESS, PAUSED_RETRY_MS } from "../coordinator/rules.ts";
import type { State } from "../coordinator/state.ts";
import type { Facts } from "../trust/candidate.ts";
import { admitted, standingOf } from "../trust/standing.ts";
import { MAX_SUSPECTS, medianSize, suspicionOf } from "../trust/weigh.ts";
import type { RunDefinition } from "./genesis.ts";

/** Milliseconds after which a sender may try again while audits catch up. */
const AUDITS_RETRY_MS = 5_000;

/** Milliseconds after which a sender may try again while merging catches up. */
const POOL_FULL_RETRY_MS = 5_000;

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
  requireWelcome(upload.ticket, state, now);
  return judge(upload, {
    ...nowOf(state, { now, coming }),
    parameters: definition.task.parameters,
    delta: definition.delta,
    weightDecay: definition.settings.optimizer.weightDecay,
  });
}

/** Throws `banned` or `quarantined` where nothing of this volunteer's is taken now. */
export function requireWelcome(
  { volunteer }: Pick<Ticket, "volunteer">,
  { trust }: Pick<State, "trust">,
  now: number,
): void {
  const standing = standingOf(trust, volunteer);
  if (standing.banned) {
    throw new ProtocolError("banned", "the operator has banned this volunteer", PAUSED_RETRY_MS);
  }
  if (!admitted(standing, now)) {
    const wait = Math.max(PAUSED_RETRY_MS, standing.until - now);
    throw new ProtocolError("quarantined", "a delta of this volunteer was found bad", wait);
  }
}

/** Whether the run is open to a ticket's delta, whatever it is. Throws as {@link judge} does before it looks at the frame. */
export const requireOpen = (
  ticket: Ticket,
  state: Pick<State, "version" | "floor" | "phase" | "pool">,
  at: Pick<Situation, "now" | "coming">,
): void => requireInTime(ticket, nowOf(state, at));

const nowOf = (
  { version, floor, phase, pool }: Pick<State, "version" | "floor" | "phase" | "pool">,
  { now, coming }: Pick<Situation, "now" | "coming">,
): InTime => ({
  ...{ version, now, floor },
  finished: phase === "finished",
  waiting: pool.length + coming,
  maxWaiting: MAX_POOL,
});

/** Suspects wait for audits, and must not fill the pool while they do. Throws `too-many-requests`. */
export function requireSpace(facts: Facts, { pool, trust }: Pick<State, "pool" | "trust">): void {
  const median = medianSize(pool, trust);
  if (suspicionOf({ facts }, median) === undefined) return;
  const waiting = pool.filter((delta) => suspicionOf(delta, median) !== undefined).length;
  if (waiting >= MAX_SUSPECTS) {
    throw new ProtocolError("too-many-requests", "audits have to catch up first", AUDITS_RETRY_MS);
  }
}

/** The part of a run's present state that tells whether a ticket's delta comes in time. */
interface InTime {
  readonly version: number;
  /** The run clock, ms. */
  readonly now: number;
  readonly finished: boolean;
  /** Tickets of versions before this one are void: the run was rolled back since. */
  readonly floor?: number;
  /** Accepted deltas that wait, and how many may. */
  readonly waiting: number;
  readonly maxWaiting: number;
}

/** The part of a run's present state that {@link judge} needs. */
export interface Now extends InTime {
  readonly parameters: number;
  readonly delta: CodecSpec;
  readonly weightDecay: number;
}

/**
 * Whether this delta may be merged, whoever sent it: lease, staleness, format, finiteness, norm; cheap first. Pure.
 * Throws `run-finished`, `lease-expired`, `future-version`, `stale`, `too-many-requests`, what
 * {@link checkFrame} throws, and `norm-too-large`. Returns the delta's L2 norm.
 */
export function judge(upload: Upload, run: Now): number {
  const { ticket, frame } = upload;
  requireInTime(ticket, run);
  const norm = checkFrame(frame, run.parameters, ticket.delta ?? run.delta);
  const bound = normBound(donePart(ticket, stepsDone(upload)), run.parameters, run.weightDecay);
  if (norm > bound) {
    throw new ProtocolError("norm-too-large", `a norm of ${norm}, no ticket like this reaches ${bound}`);
  }
  return norm;
}

function requireInTime(ticket: Ticket, run: InTime): void {
  if (run.finished) throw new ProtocolError("run-finished", "the run is finished");
  if (run.now > ticket.issued + ticket.lease) {
    throw new ProtocolError("lease-expired", "the ticket's time is over; its text was given to another");
  }
  if (ticket.version > run.version) {
    throw new ProtocolError("future-version", `version ${ticket.version} is not published`);
  }
  if (ticket.version < (run.floor ?? 0)) {
    throw new ProtocolError("stale", `the run was rolled back since version ${ticket.version}`);
  }
  if (run.version - ticket.version > MAX_STALENESS) {
    throw new ProtocolError(
      "stale",
      `version ${ticket.version} is ${run.version - ticket.version} versions old`,
    );
  }
  if (run.waiting >= run.maxWaiting) {
    throw new ProtocolError("too-many-requests", "merging has to catch up first", POOL_FULL_RETRY_MS);
  }
}

/**
 * An L2 norm that no honest delta exceeds: an AdamW step moves a weight by at most about its rate (β1 = .9,
 * β2 = .99: |m̂| ≤ √v̂ after the first steps) plus rate × decay × weight, with weights around 1 at most. The
 * factor 4 leaves room for a residual brought from tickets with higher rates.
 */
export function normBound(ticket: Pick<Ticket, "rates">, parameters: number, weightDecay: number): number {
  const rates = ticket.rates.reduce((sum, rate) => sum + rate, 0);
  return 4 * rates * Math.sqrt(parameters) * (1 + weightDecay);
}
