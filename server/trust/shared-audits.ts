import { canonicalJson } from "../../protocol/canonical.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { TicketId, VolunteerKey } from "../../protocol/ids.ts";
import type { Measured } from "../../protocol/shared-audit.ts";
import type { Auditors, AuditorsOptions, Drawn } from "./auditors.ts";

/** Volunteers that make the same audit. */
export const PLACES = 3;
/** Of those, newcomers at most: two in three have work behind them that an audit found good. */
const MAX_NEWCOMERS = 1;
/** Part of the agreed audits that the server makes as well. Three that lie together are found by it, one time in twenty. */
const ALSO_BY_SERVER = 1 / 20;
/** Milliseconds within which an auditor that was drawn must ask for work, and then within which it must answer. */
const CALL_MS = 30_000;
export const ANSWER_MS = 60_000;
/** Milliseconds after which the server makes an audit itself that volunteers have not finished. */
const GIVE_UP_MS = 180_000;

/** The sender of a delta, so that it does not audit itself. */
export interface Sender {
  readonly volunteer: VolunteerKey;
  /** Its network's name, where that is known. */
  readonly network: string | undefined;
}

interface Place extends Drawn {
  /** The run clock until which it may ask for the audit, and once it has it, answer. */
  readonly until: number;
  readonly taken: boolean;
  readonly answer?: Measured;
}

interface Shared {
  readonly sender: Sender;
  readonly begun: number;
  places: readonly Place[];
  /** Volunteers that were drawn and did not answer in time. */
  readonly missed: Set<VolunteerKey>;
  /** All is in, or time is over: nothing is taken any more. */
  closed: boolean;
}

/** All answers are in. Whether they agree, and whether the server is to measure as well. */
export interface Complete {
  readonly agreed: Measured | undefined;
  readonly settle: boolean;
}

/** The auditors that measured right, and those that measured wrong. */
export interface Decided {
  readonly right: readonly VolunteerKey[];
  readonly wrong: readonly VolunteerKey[];
}

/**
 * Audits that three volunteers make each: strangers to the sender and to each other, of different networks. Their
 * measurements are the same to the bit, or somebody lies, and then the server measures. Pure apart from its own memory: the clock
 * and chance are given. What comes of it is journaled (`settled`); a restart forgets what is open.
 */
export class SharedAudits {
  readonly #auditors: Auditors;
  readonly #chance: AuditorsOptions["chance"];
  readonly #open = new Map<TicketId, Shared>();
  /** The audit of every volunteer that has one. */
  readonly #of = new Map<VolunteerKey, TicketId>();

  constructor(auditors: Auditors, chance: AuditorsOptions["chance"]) {
    this.#auditors = auditors;
    this.#chance = chance;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Whether there are three to draw. */
  canBegin({ volunteer, network }: Sender, now: number): boolean {
    const wanted = { networks: new Set([network ?? volunteer]), volunteers: new Set([volunteer]) };
    const there = (newcomer: boolean) => this.#auditors.networks({ ...wanted, newcomer }, now);
    return there(false) >= PLACES - MAX_NEWCOMERS && there(true) >= PLACES;
  }

  /** Draws three auditors for a delta. False, and nothing is begun, where there are not as many. */
  begin(id: TicketId, sender: Sender, now: number): boolean {
    const shared: Shared = { sender, begun: now, places: [], missed: new Set(), closed: false };
    while (shared.places.length < PLACES) {
      if (this.#fill(id, shared, now)) continue;
      for (const { volunteer } of shared.places) this.#free(volunteer, false);
      return false;
    }
    this.#open.set(id, shared);
    return true;
  }

  /** The audit that a volunteer was drawn for, when it asks for work: once. */
  claim(volunteer: VolunteerKey, now: number): TicketId | undefined {
    const id = this.#of.get(volunteer);
    const shared = id && this.#open.get(id);
    const place = shared?.places.find((one) => one.volunteer === volunteer);
    if (shared === undefined || place === undefined || place.taken || now > place.until) return undefined;
    shared.places = shared.places.map((one) =>
      one === place ? { ...place, taken: true, until: now + ANSWER_MS } : one,
    );
    return id;
  }

  /**
   * Takes an auditor's answer; what it returns once is the third one's. Throws `audit-over` for one that is over or was given
   * to another, `audit-answered` for a second answer and `not-your-audit` for another's.
   */
  answer(id: TicketId, volunteer: VolunteerKey, measured: Measured, now: number): Complete | undefined {
    const shared = this.#open.get(id);
    if (shared === undefined) throw over();
    const place = shared.places.find((one) => one.volunteer === volunteer);
    if (place?.answer !== undefined) {
      throw new ProtocolError("audit-answered", "this audit was answered before");
    }
    if (shared.missed.has(volunteer)) throw over();
    if (place === undefined || !place.taken) {
      throw new ProtocolError("not-your-audit", "this audit was given to others");
    }
    if (shared.closed || now > place.until) throw over();
    shared.places = shared.places.map((one) => (one === place ? { ...place, answer: measured } : one));
    this.#free(volunteer);
    const answers = answersOf(shared);
    if (answers.length < PLACES) return undefined;
    shared.closed = true;
    const agreed = answers.every((one) => same(one, measured)) ? measured : undefined;
    return { agreed, settle: agreed === undefined || this.#chance() < ALSO_BY_SERVER };
  }

  /** Ends an audit with what is true; its auditors' answers are compared with it to the bit. */
  decide(id: TicketId, truth: Measured): Decided {
    const answered = this.end(id).places.filter(({ answer }) => answer !== undefined);
    const isRight = ({ answer }: Place) => answer !== undefined && same(answer, truth);
    const keys = (places: readonly Place[]) => places.map(({ volunteer }) => volunteer);
    return {
      right: keys(answered.filter(isRight)),
      wrong: keys(answered.filter((place) => !isRight(place))),
    };
  }

  /** Ends an audit of which nothing is found out. */
  end(id: TicketId): Pick<Shared, "places"> {
    const shared = this.#open.get(id);
    this.#open.delete(id);
    for (const { volunteer } of shared?.places ?? []) this.#free(volunteer);
    return shared ?? { places: [] };
  }

  /** Replaces auditors that are late, and returns the audits that took too long: the server makes those itself. */
  expire(now: number): TicketId[] {
    const given: TicketId[] = [];
    for (const [id, shared] of this.#open) {
      if (shared.closed) continue;
      if (now - shared.begun > GIVE_UP_MS) {
        shared.closed = true;
        given.push(id);
        continue;
      }
      const late = shared.places.filter(({ answer, until }) => answer === undefined && now > until);
      for (const { volunteer } of late) {
        shared.missed.add(volunteer);
        this.#free(volunteer);
      }
      shared.places = shared.places.filter((place) => !late.includes(place));
      while (shared.places.length < PLACES && this.#fill(id, shared, now)) {} // else it is tried again
    }
    return given;
  }

  /** Draws one more auditor. */
  #fill(id: TicketId, shared: Shared, now: number): boolean {
    const { sender, places, missed } = shared;
    const newcomers = places.filter(({ volunteer }) => this.#auditors.isNewcomer(volunteer)).length;
    const drawn = this.#auditors.draw(
      {
        networks: new Set([sender.network ?? sender.volunteer, ...places.map(({ network }) => network)]),
        volunteers: new Set([sender.volunteer, ...missed]),
        newcomer: newcomers < MAX_NEWCOMERS,
      },
      now,
    );
    if (drawn === undefined) return false;
    shared.places = [...places, { ...drawn, until: now + CALL_MS, taken: false }];
    this.#of.set(drawn.volunteer, id);
    return true;
  }

  #free(volunteer: VolunteerKey, asked = true): void {
    this.#of.delete(volunteer);
    this.#auditors.release(volunteer, asked);
  }
}

const answersOf = ({ places }: Pick<Shared, "places">): Measured[] =>
  places.flatMap(({ answer }) => answer ?? []);

/** To the bit: canonical JSON writes a double so that it reads back the same. */
const same = (one: Measured, other: Measured): boolean => canonicalJson(one) === canonicalJson(other);

const over = () => new ProtocolError("audit-over", "this audit is over, or was given to another");
