import type { ErrorCode } from "../../protocol/errors.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { PersonId, TeamId, VolunteerKey } from "../../protocol/ids.ts";
import type { Together } from "../../protocol/link.ts";
import type { Leader, PersonalData } from "../../protocol/people.ts";
import type { Person } from "../../protocol/person.ts";
import type { VolunteerCredit } from "../../protocol/status.ts";
import type { Team, TeamSum } from "../../protocol/team.ts";
import { HOUR_MS } from "../store/store.ts";
import { standingOf, type Trust } from "../trust/standing.ts";
import type { Links } from "./links.ts";
import type { LiveRun } from "./live-run.ts";
import type { People } from "./people.ts";
import { Refusals } from "./refusals.ts";
import { type Known, rosterOf } from "./roster.ts";
import { Shown } from "./shown.ts";
import type { Teams } from "./teams.ts";

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
  readonly #links: Links;
  readonly #teams: Teams;
  readonly #shown: Shown;
  readonly #refusals = new Refusals();

  constructor(run: LiveRun, people: People, links: Links, teams: Teams) {
    this.#teams = teams;
    this.#run = run;
    this.#people = people;
    this.#links = links;
    this.#shown = new Shown({
      ...{ people, links, teams, now: () => run.clock.now() },
      isBanned: (volunteer) => this.#isBanned(volunteer),
      together: (volunteer) => this.together(volunteer),
      deltasOf: (volunteer, most) => run.index.deltasOf(volunteer, most),
    });
  }

  /** What the run thinks of each key: links change none of it. */
  get trust(): Trust {
    return this.#run.state.trust;
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
    const banned = (volunteer: VolunteerKey) => this.#isBanned(volunteer);
    return this.#people.leaders(this.#run.clock.now(), (volunteer) => this.together(volunteer), banned);
  }

  /** What all keys of a key's person gave; what the operator's ban took from the list counts for none of them. */
  together(volunteer: VolunteerKey): Together {
    const keys = this.#links.keysOf(volunteer);
    const sum = { linked: keys.size - 1, tokens: 0, recent: 0, merged: 0 };
    for (const key of keys) {
      if (this.#isBanned(key)) continue;
      const { tokens, recent, merged } = this.credit(key);
      sum.tokens += tokens;
      sum.recent += recent;
      sum.merged += merged;
    }
    return sum;
  }

  /**
   * Makes two keys, which both have asked for it, one person's; with null the first is linked with none any more. Throws
   * `banned`, `bad-request`, `no-space`.
   */
  async link(volunteer: VolunteerKey, other: VolunteerKey | null): Promise<Together> {
    if (other === null) {
      await this.#changing(this.#links.leave(volunteer));
      await this.#people.keepOneName(new Set()); // makes the list again
      return this.together(volunteer);
    }
    for (const key of [volunteer, other]) {
      this.#requireMerged(key, "a link is for keys whose work is in the model");
    }
    await this.#changing(this.#links.join(volunteer, other));
    await this.#changing(this.#teams.keepOne(this.#links.keysOf(volunteer)));
    const keys = new Set([volunteer, ...this.#links.keysOf(volunteer)]);
    await this.#changing(this.#people.keepOneName(keys));
    return this.together(volunteer);
  }

  /** What is shown is made again, also while what has changed already is being written. */
  #changing<T>(written: Promise<T>): Promise<T> {
    this.#shown.changed();
    return written;
  }

  #isBanned(volunteer: VolunteerKey): boolean {
    return standingOf(this.#run.state.trust, volunteer).banned;
  }

  async rename(volunteer: VolunteerKey, name: unknown): Promise<string | undefined> {
    if (name !== null) this.#requireMerged(volunteer, "a name is for those whose work is in the model");
    return this.#changing(this.#people.rename(volunteer, name, this.#links.keysOf(volunteer)));
  }

  /** Gives a person a page beside its name, keeps it, or takes it away; returns its id. Throws `bad-request`. */
  async setPage(volunteer: VolunteerKey, wanted: boolean, drawn: PersonId): Promise<PersonId | undefined> {
    const named = this.#shown.namedOf(volunteer);
    if (named === undefined) {
      if (wanted) throw new ProtocolError("bad-request", "a page is for those who have a name");
      return undefined;
    }
    const page = wanted ? (this.#people.pageOf(named) ?? drawn) : undefined;
    await this.#changing(this.#people.setPage(named, page));
    return page;
  }

  pageOf = (volunteer: VolunteerKey): PersonId | undefined => this.#shown.pageOf(volunteer);
  person = (id: PersonId): Person | undefined => this.#shown.person(id);
  teams = (): readonly TeamSum[] => this.#shown.teams();
  team = (id: TeamId): Team | undefined => this.#shown.team(id);

  /** Puts a person into the team of that name, or with null into none; returns its id and name. Throws `bad-request`, `banned`. */
  async joinTeam(
    volunteer: VolunteerKey,
    name: unknown,
    drawn: TeamId,
  ): Promise<{ readonly id: TeamId; readonly name: string } | undefined> {
    const keys = this.#links.keysOf(volunteer);
    if (name === null) {
      await this.#changing(this.#teams.leave(...keys));
      return undefined;
    }
    this.#requireMerged(volunteer, "a team is for those whose work is in the model");
    await this.#changing(this.#teams.join(volunteer, keys, name, drawn));
    return this.#teams.of(keys);
  }

  /** Throws `banned`, and `bad-request` for a key that has nothing in the model. */
  #requireMerged(volunteer: VolunteerKey, why: string): void {
    if (this.#isBanned(volunteer)) {
      throw new ProtocolError("banned", "the operator has banned this volunteer");
    }
    const { tokens, merged } = this.credit(volunteer);
    if (tokens === 0 || merged === 0) throw new ProtocolError("bad-request", why);
  }

  dataOf(volunteer: VolunteerKey): PersonalData {
    return {
      volunteer,
      name: this.#shown.nameOf(volunteer) ?? null,
      page: this.pageOf(volunteer) ?? null,
      team: this.#teams.of(this.#links.keysOf(volunteer))?.name ?? null,
      credit: this.credit(volunteer),
      linked: [...this.#links.keysOf(volunteer)].filter((key) => key !== volunteer),
      together: this.together(volunteer),
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

  /** Of all keys of a key's person: they are one to whoever linked them. */
  async forget(volunteer: VolunteerKey): Promise<void> {
    const keys = [...this.#links.keysOf(volunteer)];
    // A volunteer that never sent anything, nor audited, has left nothing that would come back.
    const known = keys.filter((key) => {
      const { tokens, merged, pending, discarded } = this.#run.index.credit(key, 0);
      return tokens + merged + pending + discarded > 0;
    });
    await this.#changing(this.#people.forget(...known));
    await this.#changing(Promise.all([this.#links.leave(...keys), this.#teams.leave(...keys)]));
    for (const key of keys) {
      this.#refusals.forget(key);
      this.witness?.forget(key);
    }
  }

  /** Volunteers that an operator may want to rule on: those seen last, newest first, and those with refusals. */
  roster(seenLately: readonly VolunteerKey[]): readonly Known[] {
    const parts = {
      trust: this.#run.state.trust,
      now: this.#run.clock.now(),
      refusedLately: (most: number) => this.#refusals.lately(most),
      reasonsOf: (volunteer: VolunteerKey) => this.#refusals.reasonsOf(volunteer),
      nameOf: (volunteer: VolunteerKey) => this.#shown.nameOf(volunteer),
      togetherOf: (volunteer: VolunteerKey) => this.together(volunteer),
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
