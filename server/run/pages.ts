import { as, type Json } from "../../protocol/guards.ts";
import { isPersonId, isVolunteerKey, type PersonId, type VolunteerKey } from "../../protocol/ids.ts";

/** Which people have a page, and under which id (rule U7). A page goes with the name that it shows. */
export class Pages {
  readonly #pages = new Map<VolunteerKey, PersonId>();
  readonly #owners = new Map<PersonId, VolunteerKey>();

  /** Throws `bad-request` for what no server of ours has written. */
  static from(kept: Json): Pages {
    const pages = new Pages();
    for (const [key, id] of Object.entries(kept))
      pages.set(as(isVolunteerKey, key, "a volunteer"), as(isPersonId, id, "a page"));
    return pages;
  }

  of(volunteer: VolunteerKey): PersonId | undefined {
    return this.#pages.get(volunteer);
  }

  ownerOf(id: PersonId): VolunteerKey | undefined {
    return this.#owners.get(id);
  }

  set(volunteer: VolunteerKey, id: PersonId): void {
    this.drop(volunteer);
    this.#pages.set(volunteer, id);
    this.#owners.set(id, volunteer);
  }

  /** Whether there was one. */
  drop(volunteer: VolunteerKey): boolean {
    const id = this.#pages.get(volunteer);
    if (id === undefined) return false;
    this.#pages.delete(volunteer);
    this.#owners.delete(id);
    return true;
  }

  /** As {@link from} reads it. */
  kept(): Json {
    return Object.fromEntries(this.#pages);
  }
}
