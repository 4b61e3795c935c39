import type { ErrorCode } from "../../protocol/errors.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { VolunteerKey } from "../../protocol/ids.ts";
import type { Leader, PersonalData } from "../../protocol/people.ts";
import type { VolunteerCredit } from "../../protocol/status.ts";
import { HOUR_MS } from "../store/store.ts";
import { standingOf } from "../trust/standing.ts";
import type { LiveRun } from "./live-run.ts";
import type { People } from "./people.ts";
import { Refusals } from "./refusals.ts";
import { type Known, rosterOf } from "./roster.ts";

/** Milliseconds of the run clock that credit counts as recent: a day. */
const RECENT_MS = 24 * HOUR_MS;
/** Deltas listed in a volunteer's own data. */
const MAX_DELTAS_TOLD = 1_000;

/** The server's memory of volunteers' requests, so that it can show it to them, and forget it. */
export interface Witness {
  seen(volunteer: VolunteerKey): Readonly<Record<string, string>> | undefined;
  forget(volunteer: VolunteerKey): void;
}

/** The volunteers of a run: credit, names, refusals, and the data held about each. */
export class Volunteers {
  witness: Witness | undefined;
  readonly #run: LiveRun;
  readonly #people: People;
  readonly #refusals = new Refusals();

  constructor(run: LiveRun, people: People) {
    this.#run = run;
    this.#people = people;
  }

  /** Refusals since the server started, by code. */
  get refusedByCode(): ReturnType<Refusals["byCode"]> {
    return this.#refusals.byCode();
  }

  /** Counts a refusal; of a sender who is known by its key, also for it. `from` names its network. */
  countRefusal(code: ErrorCode, volunteer?: VolunteerKey, from?: string): void {
    this.#refusals.count(code, volunteer);
    if (volunteer !== undefined && standingOf(this.#run.state.trust, volunteer).merged > 0)
      this.#refusals.countOfKnown(from ?? volunteer);
  }

  credit(volunteer: VolunteerKey): VolunteerCredit {
    if (this.#people.isForgotten(volunteer))
      return { tokens: 0, recent: 0, merged: 0, pending: 0, refused: 0 };
    const since = this.#run.clock.now() - RECENT_MS;
    const { tokens, recent, merged, pending, discarded } = this.#run.index.credit(volunteer, since);
    return { tokens, recent, merged, pending, refused: discarded + this.#refusals.of(volunteer) };
  }

  leaders(): readonly Leader[] {
    const banned = (volunteer: VolunteerKey) => standingOf(this.#run.state.trust, volunteer).banned;
    return this.#people.leaders(this.#run.clock.now(), (volunteer) => this.credit(volunteer), banned);
  }

  async rename(volunteer: VolunteerKey, name: unknown): Promise<string | undefined> {
    if (name !== null) {
      if (standingOf(this.#run.state.trust, volunteer).banned) {
        throw new ProtocolError("banned", "the operator has banned this volunteer");
      }
      const { tokens, merged } = this.credit(volunteer);
      if (tokens === 0 || merged === 0) {
        throw new ProtocolError("bad-request", "a name is for those whose work is in the model");
      }
    }
    return this.#people.rename(volunteer, name);
  }

  dataOf(volunteer: VolunteerKey): PersonalData {
    return {
      volunteer,
      name: this.#people.nameOf(volunteer) ?? null,
      credit: this.credit(volunteer),
      deltas: this.#run.index
        .deltasOf(volunteer, MAX_DELTAS_TOLD)
        .map(({ volunteer: _, merged, counted, audit, ...delta }) => ({
          ...delta,
          ...(merged !== undefined && { merged }),
          ...(counted !== undefined && { counted }),
          ...(audit !== undefined && { audit }),
        })),
      seen: this.witness?.seen(volunteer) ?? null,
      notes: [
        `Listed are your newest ${MAX_DELTAS_TOLD} deltas at most.`,
        "The journal also holds each delta's loss, training time and kind of device, and until it is merged its numbers.",
        "It also names your key with the audits of others' deltas that you made.",
        "Signed records of versions name your key, tickets, delta hashes and weights. They are public, and stay.",
        "Your internet address is kept nowhere. A delta may carry a name for its network, made with a key that is lost at each restart.",
      ],
    };
  }

  async forget(volunteer: VolunteerKey): Promise<void> {
    const { tokens, merged, pending, discarded } = this.#run.index.credit(volunteer, 0);
    // A volunteer that never sent anything, nor audited, has left nothing that would come back.
    if (tokens + merged + pending + discarded > 0) await this.#people.forget(volunteer);
    this.#refusals.forget(volunteer);
    this.witness?.forget(volunteer);
  }

  /** Volunteers that an operator may want to rule on: those seen last, newest first, and those with refusals. */
  roster(seenLately: readonly VolunteerKey[]): readonly Known[] {
    const parts = {
      trust: this.#run.state.trust,
      now: this.#run.clock.now(),
      refusedLately: (most: number) => this.#refusals.lately(most),
      reasonsOf: (volunteer: VolunteerKey) => this.#refusals.reasonsOf(volunteer),
      nameOf: (volunteer: VolunteerKey) => this.#people.nameOf(volunteer),
      creditOf: (volunteer: VolunteerKey) => this.credit(volunteer),
    };
    return rosterOf(parts, seenLately);
  }

  /** How often known senders were refused since the last call, by sender. */
  refusedOfKnown(): ReadonlyMap<string, number> {
    return this.#refusals.look();
  }

  /** Deltas refused since the server started. */
  get refused(): number {
    return this.#refusals.total;
  }
}
