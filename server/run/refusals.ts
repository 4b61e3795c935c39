import type { ErrorCode } from "../../protocol/errors.ts";
import type { VolunteerKey } from "../../protocol/ids.ts";
import { forgetOldest } from "../oldest.ts";

/** Volunteers whose refusals are counted: bounds memory against ever new keys. */
const MAX_COUNTED = 10_000;

/** What was refused since the server started, and why. */
export class Refusals {
  readonly #byCode = new Map<ErrorCode, number>();
  readonly #byVolunteer = new Map<VolunteerKey, number>();

  count(code: ErrorCode, volunteer?: VolunteerKey): void {
    this.#byCode.set(code, (this.#byCode.get(code) ?? 0) + 1);
    if (volunteer === undefined) return;
    const count = this.of(volunteer) + 1;
    this.#byVolunteer.delete(volunteer);
    this.#byVolunteer.set(volunteer, count);
    forgetOldest(this.#byVolunteer, MAX_COUNTED);
  }

  of(volunteer: VolunteerKey): number {
    return this.#byVolunteer.get(volunteer) ?? 0;
  }

  forget(volunteer: VolunteerKey): void {
    this.#byVolunteer.delete(volunteer);
  }

  byCode(): Readonly<Partial<Record<ErrorCode, number>>> {
    return Object.fromEntries(this.#byCode);
  }
}
