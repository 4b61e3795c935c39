import { ProtocolError } from "../../protocol/errors.ts";
import type { Manifest } from "../../protocol/manifest.ts";
import { type AuditTicket, isAuditTicket } from "../../protocol/shared-audit.ts";
import { type Ticket, verifyTicket } from "../../protocol/ticket.ts";
import { shardOf } from "../cache/shards.ts";
import type { Wish } from "../transport/api.ts";
import { WrongBytes } from "../transport/away.ts";
import type { RoundDeps } from "./deps.ts";
import type { Waits } from "./waits.ts";

/** A ticket and all it takes to train it. */
export interface Work {
  readonly ticket: Ticket;
  /** The end of the lease by our own clock. */
  readonly deadline: number;
  /** No step but the first begins after this time of our own clock; Infinity where all steps are asked for. */
  readonly until: number;
  readonly shard: Uint16Array;
  /** Of the ticket's version; nobody changes them. */
  readonly weights: Float32Array;
}

/**
 * Asks for a ticket and fetches what it needs. Undefined when the server has another run. `audit` makes the audits that come
 * first; without it none is asked for.
 */
export async function take(
  round: RoundDeps,
  audit?: (audit: AuditTicket) => Promise<void>,
): Promise<Work | undefined> {
  const { api, identity, manifest, control, clock, throughput } = round;
  const asked = clock();
  const wish: Wish = { ...throughput.measured, ...(audit && { audits: true }) };
  const ticket = await api.ticket(identity, wish, { signal: control.signal }).catch(unlessOtherRun);
  if (ticket?.run !== manifest.run) return undefined;
  if (isAuditTicket(ticket)) {
    await audit?.(ticket);
    return take(round); // the next is for training, whatever comes
  }
  await requireOurs(ticket, round);
  const given = clock(); // the server may have let us wait for a version, which is no matter of the link
  throughput.waited(given - asked);
  const until = given + (ticket.trainFor ?? Number.POSITIVE_INFINITY);
  const work = await prepare(round, ticket, { deadline: asked + ticket.lease, until });
  throughput.prepared(clock() - given);
  return work;
}

/**
 * The next ticket, while the one before is trained. Waits for `before`, the answer to the upload before that, since the server lends two
 * at a time. What goes wrong is met again when the ticket is due.
 */
export async function takeAhead(
  round: RoundDeps,
  before: Promise<unknown> | undefined,
): Promise<Work | undefined> {
  try {
    await before;
    return await take(round);
  } catch {
    return undefined;
  }
}

/** Fetches what a ticket needs. Throws the errors of the Api and of Replica.sync. */
async function prepare(
  deps: RoundDeps,
  ticket: Ticket,
  times: Pick<Work, "deadline" | "until">,
): Promise<Work> {
  const { api, cache, control, replica } = deps;
  const progress = (bytes: number, total: number) => deps.progress("text", bytes, total);
  const shard = await shardOf(cache, ticket.shard, () => {
    progress(0, Number.POSITIVE_INFINITY); // reported before the server has answered, which says how much it is
    return api.shard(ticket.shard, { signal: control.signal, progress });
  });
  const weights = await replica.sync(ticket.version, ticket.hash);
  return { ticket, ...times, shard, weights };
}

function unlessOtherRun(error: unknown): undefined {
  if (!(error instanceof ProtocolError && error.code === "other-run")) throw error;
}

/** A ticket that this server did not sign for us is no work of ours. */
async function requireOurs(ticket: Ticket, { manifest, identity }: RoundDeps): Promise<void> {
  if (ticket.volunteer !== identity.key || !(await verifyTicket(manifest.server, ticket))) {
    throw new WrongBytes("a ticket that is not ours, or not signed by this run's server");
  }
}

/**
 * Brings the replica along while a ticket is trained and the line is idle, so that the next ticket finds most diffs
 * there. Not while a ticket is asked for: it names the newest version that was heard of, or one yet newer.
 */
export function fetcher({ replica, events }: RoundDeps): () => void {
  let fetching = false;
  return () => {
    const { newest } = events;
    if (fetching || newest === undefined || newest.version <= (replica.version ?? newest.version)) return;
    fetching = true;
    // A failure now is tried again, and reported, when a ticket needs the object.
    const done = () => {
      fetching = false;
    };
    replica.sync(newest.version, newest.hash).then(done, done);
  };
}

/** Brings the replica to the run's newest version. False when the server has another run. */
export async function catchUp(round: RoundDeps, waits: Waits, known?: Manifest): Promise<boolean> {
  const { api, manifest, replica, control } = round;
  let next = known;
  return waits.until(async () => {
    next ??= await api.manifest({ signal: control.signal });
    const { run, version, hash } = next;
    next = undefined; // a second try asks again: this version may be gone by then
    if (run !== manifest.run) return false;
    await replica.sync(version, hash);
    return true;
  });
}
