import { ProtocolError } from "../../protocol/errors.ts";
import type { Hash, PeerId, VolunteerKey } from "../../protocol/ids.ts";
import { type Announcement, type Introduction, MAX_INTRODUCED } from "../../protocol/introduction.ts";
import { forgetOldest } from "../oldest.ts";

/** Who has not announced itself for so long, in milliseconds, is gone: three of a browser's own intervals. */
const STAYS_MS = 60_000;
/** Browsers known at once; the one that announced itself the longest ago makes room. */
const MOST_KNOWN = 20_000;
/** Ids of one volunteer at once: two tabs, and one that was reloaded. */
const MOST_OF_ONE = 4;
/** Introductions of one browser that are remembered, for signalling: the oldest is forgotten first. */
const MOST_INTRODUCED = 64;
/** Different volunteers who must say so before a peer is introduced to nobody any more. */
const REPORTS_TO_SHUN = 3;
/** Volunteers shunned at once; the oldest is forgotten first. */
const MOST_SHUNNED = 10_000;

interface Known {
  readonly volunteer: VolunteerKey;
  readonly token: PeerId;
  at: number;
  holds: ReadonlySet<Hash>;
  latest: boolean;
  wants: Hash | undefined;
  readonly introduced: Set<PeerId>;
}

/**
 * Who shares what, by their own word, and who was introduced to whom (rules K5 and K6). In memory alone: after a
 * restart browsers announce themselves anew. Trust does not rest on it: whoever says it has an object and has not
 * costs its asker a moment.
 */
export class Introductions {
  readonly #now: () => number;
  readonly #random: () => number;
  /** The least lately announced first. */
  readonly #known = new Map<PeerId, Known>();
  readonly #reports = new Map<VolunteerKey, Set<VolunteerKey>>();

  /** `now` is monotonic, in milliseconds; `random` is from 0 to 1. */
  constructor(now: () => number, random: () => number) {
    this.#now = now;
    this.#random = random;
  }

  /** Browsers that share now. */
  get size(): number {
    this.#expire();
    return this.#known.size;
  }

  /**
   * Takes an announcement in and introduces up to {@link MAX_INTRODUCED} others that share the object. `newest` is
   * the hash of the run's newest snapshot. Throws `id-taken` for another's id.
   */
  announce(volunteer: VolunteerKey, announcement: Announcement, newest: Hash): Introduction {
    this.#expire();
    const { id, token, wants, wrong } = announcement;
    const before = this.#known.get(id);
    if (before !== undefined && (before.volunteer !== volunteer || before.token !== token)) {
      throw new ProtocolError("id-taken", "this id is another browser's: draw a new one");
    }
    const one: Known = before ?? {
      volunteer,
      token,
      at: 0,
      holds: new Set(),
      latest: false,
      wants: undefined,
      introduced: new Set(),
    };
    one.at = this.#now();
    one.holds = new Set(announcement.holds);
    one.latest = announcement.latest;
    one.wants = wants;
    this.#known.delete(id);
    this.#known.set(id, one);
    this.#limit(volunteer);
    for (const liar of wrong) this.#report(one, liar);
    return wants === undefined
      ? { peers: [], swarm: this.#known.size, holders: 0 }
      : this.#introduce(id, one, wants, newest);
  }

  /** Whether this id was announced, with this token. */
  knows(id: string, token: string): boolean {
    this.#expire();
    return this.#known.get(id as PeerId)?.token === token; // a Map takes any key
  }

  /** Whether two browsers were introduced, so that one may signal to the other. */
  haveMet(a: string, b: string): boolean {
    return this.#known.get(a as PeerId)?.introduced.has(b as PeerId) === true;
  }

  #introduce(id: PeerId, one: Known, wants: Hash, newest: Hash): Introduction {
    const sharing: PeerId[] = [];
    let swarm = 1;
    let holders = 0;
    for (const [other, { volunteer, holds, latest, wants: theirs }] of this.#known) {
      if (other === id) continue;
      const has = holds.has(wants) || (latest && wants === newest);
      if (!has && theirs !== wants) continue;
      swarm++;
      if (has) holders++;
      if (!this.#isShunned(volunteer)) sharing.push(other);
    }
    const peers: PeerId[] = [];
    while (peers.length < MAX_INTRODUCED && sharing.length > 0) {
      const at = Math.min(sharing.length - 1, Math.floor(this.#random() * sharing.length));
      const peer = sharing[at]!;
      sharing[at] = sharing.at(-1)!;
      sharing.pop();
      peers.push(peer);
      meet(one, peer);
      const other = this.#known.get(peer);
      if (other) meet(other, id);
    }
    return { peers, swarm, holders };
  }

  /** Only who was introduced to a peer can say what it sent; one volunteer counts once. */
  #report(from: Known, liar: PeerId): void {
    const accused = this.#known.get(liar)?.volunteer;
    if (accused === undefined || accused === from.volunteer || !from.introduced.has(liar)) return;
    const by = this.#reports.get(accused) ?? new Set();
    if (by.size < REPORTS_TO_SHUN) by.add(from.volunteer);
    this.#reports.delete(accused);
    this.#reports.set(accused, by);
    forgetOldest(this.#reports, MOST_SHUNNED);
  }

  #isShunned(volunteer: VolunteerKey): boolean {
    return (this.#reports.get(volunteer)?.size ?? 0) >= REPORTS_TO_SHUN;
  }

  #limit(volunteer: VolunteerKey): void {
    const own = [...this.#known].filter(([, known]) => known.volunteer === volunteer);
    for (const [id] of own.slice(0, Math.max(0, own.length - MOST_OF_ONE))) this.#known.delete(id);
    forgetOldest(this.#known, MOST_KNOWN);
  }

  #expire(): void {
    const now = this.#now();
    for (const [id, { at }] of this.#known) {
      if (now - at < STAYS_MS) return;
      this.#known.delete(id);
    }
  }
}

function meet(one: Known, other: PeerId): void {
  one.introduced.delete(other);
  one.introduced.add(other);
  forgetOldest(one.introduced, MOST_INTRODUCED);
}
