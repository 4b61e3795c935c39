import type { PersonId, TeamId, VolunteerKey } from "../../protocol/ids.ts";
import type { Together } from "../../protocol/link.ts";
import { MAX_LEADERS } from "../../protocol/people.ts";
import { MAX_PERSONS_DELTAS, type Person } from "../../protocol/person.ts";
import type { Team, TeamSum } from "../../protocol/team.ts";
import { KeptAnswer } from "../lib/kept-answer.ts";
import type { EndedDelta } from "../store/store.ts";
import type { Links } from "./links.ts";
import type { People } from "./people.ts";
import type { Teams } from "./teams.ts";

/** Milliseconds that what is shown of a person or a team is kept: a team's costs hundreds of looks at the index. */
const SHOWN_FOR_MS = 5_000;

export interface ShownParts {
  readonly people: People;
  readonly links: Links;
  readonly teams: Teams;
  /** Milliseconds of the run clock. */
  readonly now: () => number;
  readonly isBanned: (volunteer: VolunteerKey) => boolean;
  readonly together: (volunteer: VolunteerKey) => Together;
  readonly deltasOf: (volunteer: VolunteerKey, most: number) => readonly EndedDelta[];
}

/**
 * What anyone may see of people and teams. Strangers ask for it as often as they like, so that it is made once for all who
 * ask within some seconds.
 */
export class Shown {
  readonly #parts: ShownParts;
  readonly #sums = new KeptAnswer<readonly TeamSum[]>(SHOWN_FOR_MS);
  /** Those that were asked for: as many as there are at most. */
  readonly #teamPages = new KeptAnswer<Map<TeamId, Team>>(SHOWN_FOR_MS);
  readonly #persons = new KeptAnswer<Map<VolunteerKey, Omit<Person, "name">>>(SHOWN_FOR_MS);

  constructor(parts: ShownParts) {
    this.#parts = parts;
  }

  /** A name, a page, a link or a team is another. */
  changed(): void {
    this.#sums.changed();
    this.#teamPages.changed();
    this.#persons.changed();
  }

  /** The one of a person's keys that has its name. */
  namedOf(volunteer: VolunteerKey): VolunteerKey | undefined {
    const { people, links } = this.#parts;
    for (const key of links.keysOf(volunteer)) if (people.nameOf(key) !== undefined) return key;
    return undefined;
  }

  /** The name of a key's person. */
  nameOf(volunteer: VolunteerKey): string | undefined {
    const named = this.namedOf(volunteer);
    return named && this.#parts.people.nameOf(named);
  }

  /** The page of a key's person. */
  pageOf(volunteer: VolunteerKey): PersonId | undefined {
    const named = this.namedOf(volunteer);
    return named && this.#parts.people.pageOf(named);
  }

  /** What a page shows; undefined where there is none, or the operator has banned its owner. */
  person(id: PersonId): Person | undefined {
    const { people, isBanned, now } = this.#parts;
    const owner = people.ownerOf(id);
    if (owner === undefined || isBanned(owner.volunteer)) return undefined;
    const persons = this.#persons.get(now(), () => new Map());
    return { name: owner.name, ...kept(persons, owner.volunteer, () => this.#worked(owner.volunteer)) };
  }

  #worked(volunteer: VolunteerKey): Omit<Person, "name"> {
    const { people, links, isBanned, together, deltasOf } = this.#parts;
    const { linked, tokens, recent, merged } = together(volunteer);
    const deltas = [...links.keysOf(volunteer)]
      .filter((key) => !isBanned(key) && !people.isForgotten(key))
      .flatMap((key) => deltasOf(key, MAX_PERSONS_DELTAS))
      .sort((a, b) => b.accepted - a.accepted)
      .flatMap(({ ticket, volunteer, delta, merged: version, tokens: trained }) =>
        typeof version === "number" ? [{ ticket, volunteer, delta, version, tokens: trained }] : [],
      )
      .slice(0, MAX_PERSONS_DELTAS);
    return { tokens, recent, merged, keys: linked + 1, deltas };
  }

  /** Teams with something in the model, most tokens first. */
  teams(): readonly TeamSum[] {
    return this.#sums.get(this.#parts.now(), () =>
      [...this.#parts.teams.all.keys()]
        .flatMap((id) => this.#sumOf(id) ?? [])
        .filter(({ tokens }) => tokens > 0)
        .sort((a, b) => b.tokens - a.tokens || (a.name < b.name ? -1 : 1))
        .slice(0, MAX_LEADERS),
    );
  }

  /** A team's page; undefined where there is none. */
  team(id: TeamId): Team | undefined {
    if (this.#parts.teams.get(id) === undefined) return undefined;
    const pages = this.#teamPages.get(this.#parts.now(), () => new Map());
    return kept(pages, id, () => this.#page(id));
  }

  #page(id: TeamId): Team | undefined {
    const { teams, isBanned, together } = this.#parts;
    const sum = this.#sumOf(id);
    if (sum === undefined) return undefined;
    const people = [...(teams.get(id)?.keys ?? [])]
      .flatMap((key) => {
        const [name, page] = [this.nameOf(key), this.pageOf(key)];
        if (name === undefined || isBanned(key)) return [];
        return [{ name, tokens: together(key).tokens, ...(page !== undefined && { page }) }];
      })
      .sort((a, b) => b.tokens - a.tokens)
      .slice(0, MAX_LEADERS);
    return { ...sum, people };
  }

  #sumOf(id: TeamId): TeamSum | undefined {
    const team = this.#parts.teams.get(id);
    if (team === undefined) return undefined;
    const sums = [...team.keys].map((key) => this.#parts.together(key));
    const total = (of: "tokens" | "recent") => sums.reduce((sum, one) => sum + one[of], 0);
    return { id, name: team.name, tokens: total("tokens"), recent: total("recent"), members: sums.length };
  }
}

/** What is in the map under a key, made where it is not yet. */
function kept<K, V extends object | undefined>(map: Map<K, NonNullable<V>>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  if (made !== undefined) map.set(key, made);
  return made;
}
