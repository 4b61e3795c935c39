import type { ErrorCode } from "../../protocol/errors.ts";
import type { VolunteerKey } from "../../protocol/ids.ts";
import { forgetOldest } from "../lib/oldest.ts";

/** Volunteers whose refusals are counted: bounds memory against ever new keys. */
const MAX_COUNTED = 10_000;

/** Senders whose refusals are counted between two looks of the operator's alerts. */
const MAX_SENDERS = 1_000;

/** Refusals since the server started, and their reasons. */
export class Refusals {
  readonly #byCode = new Map<ErrorCode, number>();
  readonly #byVolunteer = new Map<VolunteerKey, Map<ErrorCode, number>>();

  #sinceLook = new Map<string, number>();

  /** How many, of everybody. */
  get total(): number {
    return totalOf(this.#byCode);
  }

  count(code: ErrorCode, volunteer?: VolunteerKey): void {
    this.#byCode.set(code, (this.#byCode.get(code) ?? 0) + 1);
    if (volunteer === undefined) return;
    const counts = this.#byVolunteer.get(volunteer) ?? new Map<ErrorCode, number>();
    counts.set(code, (counts.get(code) ?? 0) + 1);
    this.#byVolunteer.delete(volunteer);
    this.#byVolunteer.set(volunteer, counts);
    forgetOldest(this.#byVolunteer, MAX_COUNTED);
  }

  /** Counts one of somebody whose work was merged before, by the name of its network or, where it has none, its own. */
  countOfKnown(sender: string): void {
    if (this.#sinceLook.size >= MAX_SENDERS && !this.#sinceLook.has(sender)) return;
    this.#sinceLook.set(sender, (this.#sinceLook.get(sender) ?? 0) + 1);
  }

  /** Refusals that {@link countOfKnown} counted since the last call, by sender. */
  look(): ReadonlyMap<string, number> {
    const counted = this.#sinceLook;
    this.#sinceLook = new Map();
    return counted;
  }

  /** How many of a volunteer's, whatever the reason. */
  of(volunteer: VolunteerKey): number {
    return totalOf(this.#byVolunteer.get(volunteer) ?? new Map());
  }

  reasonsOf(volunteer: VolunteerKey): Readonly<Partial<Record<ErrorCode, number>>> {
    return Object.fromEntries(this.#byVolunteer.get(volunteer) ?? []);
  }

  /** Volunteers with a refusal, newest first. */
  lately(most: number): readonly VolunteerKey[] {
    return [...this.#byVolunteer.keys()].slice(-most).reverse();
  }

  forget(volunteer: VolunteerKey): void {
    this.#byVolunteer.delete(volunteer);
  }

  byCode(): Readonly<Partial<Record<ErrorCode, number>>> {
    return Object.fromEntries(this.#byCode);
  }
}

const totalOf = (counts: ReadonlyMap<ErrorCode, number>): number =>
  [...counts.values()].reduce((sum, times) => sum + times, 0);
