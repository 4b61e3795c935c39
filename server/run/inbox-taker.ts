import { messageOf } from "../../model/lib/message-of.ts";
import { type ErrorCode, ProtocolError } from "../../protocol/errors.ts";
import type { TicketId } from "../../protocol/ids.ts";
import type { Accepted } from "../coordinator/events.ts";
import type { State } from "../coordinator/state.ts";
import type { Log } from "../lib/log.ts";
import type { Inbox, InboxMessage } from "../store/inbox.ts";
import { type Acknowledged, acceptedOf, decodeAcknowledged, doneOfUpload } from "./acknowledged.ts";
import { requireOpen, requireSpace, requireWelcome } from "./admission.ts";
import type { EventLog } from "./event-log.ts";
import type { RunDefinition } from "./genesis.ts";
import type { IndexFeed } from "./index-feed.ts";
import type { Quality } from "./quality.ts";

/** Messages that are taken at a time: measured one after the other, and journaled together. */
const AT_ONCE = 16;
/** Times so many that are taken when the server stops, at most: others go on acknowledging. */
const MAX_LAST = 256;
/** Tries in a row that may fail then, of up to 1.5 s each: a cluster elects a leader for 5 to 9 s. */
const MAX_LAST_FAILURES = 10;

export interface InboxTakerParts {
  readonly inbox: Inbox;
  readonly run: {
    readonly state: State;
    readonly definition: Pick<RunDefinition, "rules">;
    readonly events: Pick<EventLog, "record">;
    readonly index: Pick<IndexFeed, "delta">;
    readonly quality: Pick<Quality, "gauge" | "audit">;
  };
  /** Aborts where another server leads. */
  readonly deposed: AbortSignal;
  readonly log: Pick<Log, "warn">;
}

/** A message that is about to be journaled. */
interface Prepared {
  readonly delta: Acknowledged;
  readonly event: Accepted;
  /** The frame's, where it is known. */
  readonly check: number | undefined;
}

/**
 * Journals what the run's servers have acknowledged, in the inbox's order, each delta once. It has its receipt: so none is
 * left out, and one that should not have had it is journaled as refused. What it was in the middle of when another server
 * came to lead, that one does.
 */
export class InboxTaker {
  readonly #parts: InboxTakerParts;
  readonly #stopping = new AbortController();
  /** Messages on their way to the journal: what was measured is not measured again. */
  readonly #prepared = new Map<number, Prepared>();
  readonly #coming = new Set<TicketId>();
  #taken: number;
  #loop: Promise<void> = Promise.resolve();

  constructor(parts: InboxTakerParts) {
    this.#parts = parts;
    this.#taken = parts.inbox.taken;
  }

  start(): void {
    this.#loop = this.#takeOn();
  }

  /** Resolves when what was there is taken, or cannot be. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  async #takeOn(): Promise<void> {
    const { inbox, deposed, log } = this.#parts;
    const { signal } = this.#stopping;
    const never = new AbortController().signal;
    let [failures, lastFailures] = [0, 0];
    for (let last = 0; !deposed.aborted && last < MAX_LAST; last += Number(signal.aborted)) {
      try {
        const some = await inbox.after(this.#taken, AT_ONCE);
        if (some.length > 0) await this.#take(some);
        else if (signal.aborted) return;
        failures = 0;
        if (some.length < AT_ONCE) await inbox.arrival(signal);
      } catch (error) {
        if (failures++ === 0)
          log.warn({ error: messageOf(error) }, "acknowledged deltas wait to be journaled");
        if (signal.aborted && ++lastFailures > MAX_LAST_FAILURES) return;
        await inbox.arrival(signal.aborted ? never : signal).catch(() => {});
      }
    }
  }

  /** Rejects where one of them could not be journaled: all are looked at again. */
  async #take(messages: readonly InboxMessage[]): Promise<void> {
    const done = await Promise.allSettled(messages.map((message) => this.#journal(message)));
    for (const one of done) if (one.status === "rejected") throw one.reason;
    this.#taken = messages.at(-1)?.seq ?? this.#taken;
  }

  async #journal(message: InboxMessage): Promise<void> {
    const { inbox, run, deposed } = this.#parts;
    const { seq } = message;
    const prepared = this.#prepared.get(seq) ?? this.#prepare(message);
    if (prepared === undefined || deposed.aborted) return;
    const { upload } = prepared.delta;
    const { event } = prepared;
    this.#prepared.set(seq, prepared);
    this.#coming.add(event.ticket);
    const at = { seq, frame: upload.frame, check: prepared.check, taken: this.#taken };
    await run.events.record(event, (head) => inbox.append(head, at));
    this.#prepared.delete(seq);
    this.#coming.delete(event.ticket);
    const { ticket, volunteer, version, tokens, facts, refused } = event;
    if (refused === undefined)
      run.quality.audit(upload, { ticket, volunteer, version, tokens, ...(facts && { facts }) });
  }

  /** Undefined where there is nothing to journal: it is there already, or is no server's of ours. */
  #prepare({ seq, bytes, check }: InboxMessage): Prepared | undefined {
    const { run, log } = this.#parts;
    try {
      const delta = decodeAcknowledged(bytes);
      const { ticket } = delta.upload;
      const isKnown = run.index.delta(ticket.id) !== undefined || run.state.used.has(ticket.id);
      if (isKnown || this.#coming.has(ticket.id)) return undefined;
      if (ticket.version > run.state.version)
        throw new ProtocolError("future-version", `version ${ticket.version} is not published`);
      const { refused, ...rest } = this.#judge(delta);
      const event = acceptedOf(delta, run.definition.rules, rest.facts);
      return { delta, check, event: refused === undefined ? event : { ...event, refused } };
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      log.warn({ error: error.message, message: seq }, "a message of the inbox is no delta of this run");
      return undefined;
    }
  }

  /** The delta's measurements; or why it is refused, by what the server that acknowledged it could not know yet. */
  #judge(delta: Acknowledged): { readonly refused?: ErrorCode; readonly facts?: Accepted["facts"] } {
    const { state, quality } = this.#parts.run;
    const { upload, at, norm, from } = delta;
    try {
      requireWelcome(upload.ticket, state, at);
      requireOpen(upload.ticket, state, { now: at, coming: this.#coming.size });
      const facts = quality.gauge?.measure(doneOfUpload(upload), upload.frame, norm, from);
      if (facts === undefined) return {};
      requireSpace(facts, state);
      return { facts };
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return { refused: error.code };
    }
  }
}
