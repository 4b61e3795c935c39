import type { VolunteerKey } from "../../protocol/ids.ts";
import { forgetOldest } from "../lib/oldest.ts";
import { admitted, type Standing, trusted } from "./standing.ts";

/** Volunteers remembered that may audit, the longest silent forgotten first. */
const MAX_AUDITORS = 20_000;
/** Milliseconds after its last request for work that a volunteer is taken to be there. */
const PRESENT_MS = 60_000;

/** Where a volunteer is, for the rule that no two auditors of one delta share a network. */
interface Known {
  /** Its network's name; a volunteer whose address tells of none is its own. */
  readonly network: string;
  /** The run clock when it last asked for work. */
  readonly seen: number;
  /** It did work since its last audit: who only asks is given no second one. */
  readonly due: boolean;
}

/** A volunteer that was drawn to audit. */
export interface Drawn {
  readonly volunteer: VolunteerKey;
  readonly network: string;
}

/** What may not audit a delta, and what may. */
export interface Wanted {
  /** Networks that may not: the sender's, and those of the other auditors. */
  readonly networks: ReadonlySet<string>;
  /** Volunteers that may not. */
  readonly volunteers: ReadonlySet<VolunteerKey>;
  /** Whether it may be a newcomer. */
  readonly newcomer: boolean;
}

export interface AuditorsOptions {
  readonly standing: (volunteer: VolunteerKey) => Standing;
  /** A number nobody can guess, in [0, 1). */
  readonly chance: () => number;
}

/**
 * The volunteers that agreed to audit and are there. An auditor is drawn, by network first: neither asking
 * often nor many keys behind one router make an audit likelier, and no sender can choose who audits its delta.
 */
export class Auditors {
  readonly #options: AuditorsOptions;
  /** The longest silent first. */
  readonly #known = new Map<VolunteerKey, Known>();
  readonly #busy = new Set<VolunteerKey>();

  constructor(options: AuditorsOptions) {
    this.#options = options;
  }

  /** A volunteer that agreed to audit asks for work. `network` names its network, where that is known. */
  asked(volunteer: VolunteerKey, network: string | undefined, now: number): void {
    const { due = true } = this.#known.get(volunteer) ?? {};
    this.#known.delete(volunteer);
    this.#known.set(volunteer, { network: network ?? volunteer, seen: now, due });
    forgetOldest(this.#known, MAX_AUDITORS);
  }

  /** A delta of it was accepted. */
  worked(volunteer: VolunteerKey): void {
    const known = this.#known.get(volunteer);
    if (known !== undefined) this.#known.set(volunteer, { ...known, due: true });
  }

  /** Draws one that now has an audit to make, until it is released; undefined where nobody fits. */
  draw(wanted: Wanted, now: number): Drawn | undefined {
    const drawn = this.#one([...this.#networks(wanted, now)]);
    const volunteer = drawn && this.#one(drawn[1]);
    const known = volunteer && this.#known.get(volunteer);
    if (drawn === undefined || volunteer === undefined || known === undefined) return undefined;
    this.#busy.add(volunteer);
    this.#known.set(volunteer, { ...known, due: false });
    return { volunteer, network: drawn[0] };
  }

  /** Networks in which somebody fits. */
  networks(wanted: Wanted, now: number): number {
    return this.#networks(wanted, now).size;
  }

  isNewcomer(volunteer: VolunteerKey): boolean {
    return !trusted(this.#options.standing(volunteer));
  }

  /** It has no audit to make any more. One that was not `asked` to begin is as it was before. */
  release(volunteer: VolunteerKey, asked = true): void {
    this.#busy.delete(volunteer);
    if (!asked) this.worked(volunteer);
  }

  #networks(wanted: Wanted, now: number): ReadonlyMap<string, readonly VolunteerKey[]> {
    const networks = new Map<string, VolunteerKey[]>();
    for (const [volunteer, known] of this.#known) {
      if (!this.#fits(volunteer, known, wanted, now)) continue;
      const there = networks.get(known.network);
      if (there === undefined) networks.set(known.network, [volunteer]);
      else there.push(volunteer);
    }
    return networks;
  }

  #fits(volunteer: VolunteerKey, { network, seen, due }: Known, wanted: Wanted, now: number): boolean {
    if (!due || now - seen > PRESENT_MS || this.#busy.has(volunteer)) return false;
    if (wanted.networks.has(network) || wanted.volunteers.has(volunteer)) return false;
    const standing = this.#options.standing(volunteer);
    if (!admitted(standing, now) || standing.strikes > 0) return false;
    return wanted.newcomer || trusted(standing);
  }

  #one<T>(of: readonly T[]): T | undefined {
    return of[Math.floor(this.#options.chance() * of.length)];
  }
}
