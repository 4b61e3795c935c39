import type { ErrorCode } from "../../protocol/errors.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { PersonId, TeamId, VolunteerKey } from "../../protocol/ids.ts";
import type { Together } from "../../protocol/link.ts";
import { type Leader, MAX_LEADERS, type PersonalData } from "../../protocol/people.ts";
import { MAX_PERSONS_DELTAS, type Person } from "../../protocol/person.ts";
import type { VolunteerCredit } from "../../protocol/status.ts";
import type { Team, TeamSum } from "../../protocol/team.ts";
import { HOUR_MS } from "../store/store.ts";
import { standingOf, type Trust } from "../trust/standing.ts";
import type { Links } from "./links.ts";
import type { LiveRun } from "./live-run.ts";
import type { People } from "./people.ts";
import { Refusals } from "./refusals.ts";
import { type Known, rosterOf } from "./roster.ts";
import type { Teams } from "./teams.ts";

/** Milliseconds of the run clock that credit counts as recent: a day. */
const RECENT_MS = 24 * HOUR_MS;
/** Milliseconds that a list of teams is kept. */
const TEAMS_FOR_MS = 5_000;
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
  #teamSums: { readonly at: number; readonly list: readonly TeamSum[] } | undefined;
  readonly #refusals = new Refusals();

  constructor(run: LiveRun, people: People, links: Links, teams: Teams) {
    this.#teams = teams;
    this.#run = run;
    this.#people = people;
    this.#links = links;
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
      await this.#links.leave(volunteer);
      await this.#people.keepOneName(new Set()); // makes the list again
      return this.together(volunteer);
    }
    for (const key of [volunteer, other]) {
      this.#requireMerged(key, "a link is for keys whose work is in the model");
    }
    await this.#links.join(volunteer, other);
    await this.#teams.keepOne(this.#links.keysOf(volunteer));
    await this.#people.keepOneName(new Set([volunteer, ...this.#links.keysOf(volunteer)]));
    return this.together(volunteer);
  }

  #isBanned(volunteer: VolunteerKey): boolean {
    return standingOf(this.#run.state.trust, volunteer).banned;
  }

  /** The one of a person's keys that has its name. */
  #namedOf(volunteer: VolunteerKey): VolunteerKey | undefined {
    for (const key of this.#links.keysOf(volunteer)) if (this.#people.nameOf(key) !== undefined) return key;
    return undefined;
  }

  /** The name of a key's person. */
  #nameOf(volunteer: VolunteerKey): string | undefined {
    const named = this.#namedOf(volunteer);
    return named && this.#people.nameOf(named);
  }

  async rename(volunteer: VolunteerKey, name: unknown): Promise<string | undefined> {
    if (name !== null) this.#requireMerged(volunteer, "a name is for those whose work is in the model");
    return this.#people.rename(volunteer, name, this.#links.keysOf(volunteer));
  }

  /** Gives a person a page beside its name, keeps it, or takes it away; returns its id. Throws `bad-request`. */
  async setPage(volunteer: VolunteerKey, wanted: boolean, drawn: PersonId): Promise<PersonId | undefined> {
    const named = this.#namedOf(volunteer);
    if (named === undefined) {
      if (wanted) throw new ProtocolError("bad-request", "a page is for those who have a name");
      return undefined;
    }
    const page = wanted ? (this.#people.pageOf(named) ?? drawn) : undefined;
    await this.#people.setPage(named, page);
    return page;
  }

  /** The page of a key's person. */
  pageOf(volunteer: VolunteerKey): PersonId | undefined {
    const named = this.#namedOf(volunteer);
    return named && this.#people.pageOf(named);
  }

  /** What a page shows; undefined where there is none, or the operator has banned its owner. */
  person(id: PersonId): Person | undefined {
    const owner = this.#people.ownerOf(id);
    if (owner === undefined || this.#isBanned(owner.volunteer)) return undefined;
    const { linked, tokens, recent, merged } = this.together(owner.volunteer);
    const deltas = [...this.#links.keysOf(owner.volunteer)]
      .filter((key) => !this.#isBanned(key) && !this.#people.isForgotten(key))
      .flatMap((key) => this.#run.index.deltasOf(key, MAX_PERSONS_DELTAS))
      .sort((a, b) => b.accepted - a.accepted)
      .flatMap(({ ticket, volunteer, delta, merged: version, tokens: trained }) =>
        typeof version === "number" ? [{ ticket, volunteer, delta, version, tokens: trained }] : [],
      )
      .slice(0, MAX_PERSONS_DELTAS);
    return { name: owner.name, tokens, recent, merged, keys: linked + 1, deltas };
  }

  /** Puts a person into the team of that name, or with null into none; returns its id and name. Throws `bad-request`, `banned`. */
  async joinTeam(
    volunteer: VolunteerKey,
    name: unknown,
    drawn: TeamId,
  ): Promise<{ readonly id: TeamId; readonly name: string } | undefined> {
    const keys = this.#links.keysOf(volunteer);
    this.#teamSums = undefined;
    if (name === null) {
      await this.#teams.leave(...keys);
      return undefined;
    }
    this.#requireMerged(volunteer, "a team is for those whose work is in the model");
    await this.#teams.join(volunteer, keys, name, drawn);
    return this.#teams.of(keys);
  }

  /** Teams with something in the model, most tokens first. */
  teams(): readonly TeamSum[] {
    const now = this.#run.clock.now();
    if (this.#teamSums !== undefined && now - this.#teamSums.at < TEAMS_FOR_MS) return this.#teamSums.list;
    const list = [...this.#teams.all.keys()]
      .flatMap((id) => this.#sumOf(id) ?? [])
      .filter(({ tokens }) => tokens > 0)
      .sort((a, b) => b.tokens - a.tokens || (a.name < b.name ? -1 : 1))
      .slice(0, MAX_LEADERS);
    this.#teamSums = { at: now, list };
    return list;
  }

  /** A team's page; undefined where there is none. */
  team(id: TeamId): Team | undefined {
    const sum = this.#sumOf(id);
    if (sum === undefined) return undefined;
    const people = [...(this.#teams.get(id)?.keys ?? [])]
      .flatMap((key) => {
        const [name, page] = [this.#nameOf(key), this.pageOf(key)];
        if (name === undefined || this.#isBanned(key)) return [];
        return [{ name, tokens: this.together(key).tokens, ...(page !== undefined && { page }) }];
      })
      .sort((a, b) => b.tokens - a.tokens)
      .slice(0, MAX_LEADERS);
    return { ...sum, people };
  }

  #sumOf(id: TeamId): TeamSum | undefined {
    const team = this.#teams.get(id);
    if (team === undefined) return undefined;
    const sums = [...team.keys].map((key) => this.together(key));
    const total = (of: "tokens" | "recent") => sums.reduce((sum, one) => sum + one[of], 0);
    return { id, name: team.name, tokens: total("tokens"), recent: total("recent"), members: sums.length };
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
      name: this.#nameOf(volunteer) ?? null,
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
    await this.#people.forget(...known);
    await Promise.all([this.#links.leave(...keys), this.#teams.leave(...keys)]);
    this.#teamSums = undefined;
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
      nameOf: (volunteer: VolunteerKey) => this.#nameOf(volunteer),
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
