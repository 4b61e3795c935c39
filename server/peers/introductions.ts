import { ProtocolError } from "../../protocol/errors.ts";
import type { Hash, PeerId, VolunteerKey } from "../../protocol/ids.ts";
import { type Announcement, type Introduction, MAX_INTRODUCED } from "../../protocol/introduction.ts";
import { forgetOldest } from "../lib/oldest.ts";
import { Catalogue, type Picks, type Share } from "./sharers.ts";

/** Milliseconds after which a browser that has not announced itself is gone: three of its own intervals. */
const STAYS_MS = 60_000;
/** Browsers known at once; the one that announced itself the longest ago makes room. */
const MAX_KNOWN = 20_000;
/** Browsers known from one network: a school that shares. */
const MAX_OF_NETWORK = 512;
/** Ids of one volunteer at once: two tabs, and one that was reloaded. */
const MAX_OF_ONE = 4;
/** Objects that all of them hold and seek, each counted once for each browser, some 400 bytes each. */
const MAX_ENTRIES = 150_000;
/** Browsers that are looked at for one introduction: some were picked before, or are shunned. */
const MAX_LOOKS = 64;
/** Introductions of one browser that are remembered, for signalling: the oldest is forgotten first. */
const MAX_REMEMBERED = 64;
/**
 * Networks (volunteers, where there are no networks) that must report a peer before it is introduced to nobody any
 * more.
 */
const REPORTS_TO_SHUN = 3;
/** Volunteers shunned at once; the oldest is forgotten first. */
const MAX_SHUNNED = 10_000;

interface Known {
  readonly volunteer: VolunteerKey;
  readonly token: PeerId;
  readonly network: string | undefined;
  readonly at: number;
  readonly share: Share;
  readonly introduced: Set<PeerId>;
}

/**
 * Records which browser shares what, by its own word, and which were introduced (rules K5 and K6). In memory only: after
 * a restart browsers announce themselves again. Trust does not rest on it: whoever says it has an object and has not
 * costs its asker a moment. An announcement costs by its own length, and not by how many others there are.
 */
export class Introductions {
  readonly #now: () => number;
  readonly #random: () => number;
  /** The least lately announced first, as in the groups. */
  readonly #known = new Map<PeerId, Known>();
  readonly #ofVolunteer = new Groups<VolunteerKey>();
  readonly #ofNetwork = new Groups<string>();
  readonly #catalogue = new Catalogue();
  readonly #reports = new Map<VolunteerKey, Set<string>>();

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
   * the hash of the run's newest snapshot, `network` names the sender's, where it is known. Throws `id-taken` for
   * another's id.
   */
  announce(
    volunteer: VolunteerKey,
    announcement: Announcement,
    newest: Hash,
    network?: string,
  ): Introduction {
    this.#expire();
    const { id, token, holds, latest, wants, wrong } = announcement;
    const before = this.#known.get(id);
    if (before !== undefined && (before.volunteer !== volunteer || before.token !== token)) {
      throw new ProtocolError("id-taken", "this id is another browser's: draw a new one");
    }
    this.#forget(id); // not to be introduced to itself
    const share = { holds: new Set(holds), latest, wants };
    const introduced = before?.introduced ?? new Set();
    const one: Known = { volunteer, token, network, at: this.#now(), share, introduced };
    const made =
      wants === undefined
        ? { peers: [], swarm: this.#known.size + 1, holders: 0 }
        : this.#introduce(id, one, wants, newest);
    this.#keep(id, one);
    for (const liar of wrong) this.#report(one, liar);
    return made;
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
    const { holders, seekers, pools } = this.#catalogue.sharing(wants, wants === newest);
    const peers = new Set<PeerId>();
    for (const peer of this.#draw(pools)) {
      const other = this.#known.get(peer);
      if (other === undefined || peers.has(peer) || this.#isShunned(other.volunteer)) continue;
      peers.add(peer);
      meet(one, peer);
      meet(other, id);
      if (peers.size === MAX_INTRODUCED) break;
    }
    return { peers: [...peers], swarm: 1 + holders + seekers, holders };
  }

  /** {@link MAX_LOOKS} of those in some pools, drawn by lot and none twice but who is in two: Fisher and Yates' shuffle, begun. */
  *#draw(pools: readonly Picks[]): Generator<PeerId, void, undefined> {
    const total = pools.reduce((sum, { size }) => sum + size, 0);
    const moved = new Map<number, number>();
    for (let left = total; left > 0 && total - left < MAX_LOOKS; left--) {
      const lot = Math.min(left - 1, Math.floor(this.#random() * left));
      let place = moved.get(lot) ?? lot;
      moved.set(lot, moved.get(left - 1) ?? left - 1);
      const pool = pools.find(({ size }) => {
        if (place < size) return true;
        place -= size;
        return false;
      });
      const peer = pool?.at(place);
      if (peer !== undefined) yield peer;
    }
  }

  /** Only a visitor that was introduced to a peer can say what it sent; one network, or one volunteer, counts once. */
  #report(from: Known, liar: PeerId): void {
    const accused = this.#known.get(liar)?.volunteer;
    if (accused === undefined || accused === from.volunteer || !from.introduced.has(liar)) return;
    const by = this.#reports.get(accused) ?? new Set();
    if (by.size < REPORTS_TO_SHUN) by.add(from.network ?? from.volunteer);
    this.#reports.delete(accused);
    this.#reports.set(accused, by);
    forgetOldest(this.#reports, MAX_SHUNNED);
  }

  #isShunned(volunteer: VolunteerKey): boolean {
    return (this.#reports.get(volunteer)?.size ?? 0) >= REPORTS_TO_SHUN;
  }

  /** Takes one in as the youngest; the oldest make room. */
  #keep(id: PeerId, one: Known): void {
    const { volunteer, network, share } = one;
    this.#known.set(id, one);
    this.#catalogue.add(id, share);
    this.#forget(this.#ofVolunteer.add(volunteer, id, MAX_OF_ONE));
    if (network !== undefined) this.#forget(this.#ofNetwork.add(network, id, MAX_OF_NETWORK));
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MAX_KNOWN && this.#catalogue.entries <= MAX_ENTRIES) return;
      this.#forget(oldest);
    }
  }

  #forget(id: PeerId | undefined): void {
    const one = id === undefined ? undefined : this.#known.get(id);
    if (id === undefined || one === undefined) return;
    this.#known.delete(id);
    this.#catalogue.delete(id, one.share);
    this.#ofVolunteer.delete(one.volunteer, id);
    if (one.network !== undefined) this.#ofNetwork.delete(one.network, id);
  }

  #expire(): void {
    const now = this.#now();
    for (const [id, { at }] of this.#known) {
      if (now - at < STAYS_MS) return;
      this.#forget(id);
    }
  }
}

/** Ids by whose they are, the oldest of each first. */
class Groups<K> {
  readonly #groups = new Map<K, Set<PeerId>>();

  /** Adds one to a group; returns the oldest of it where it is now larger than `most`. */
  add(key: K, id: PeerId, most: number): PeerId | undefined {
    const group = this.#groups.get(key) ?? new Set();
    group.add(id);
    this.#groups.set(key, group);
    return group.size > most ? group.keys().next().value : undefined;
  }

  delete(key: K, id: PeerId): void {
    const group = this.#groups.get(key);
    group?.delete(id);
    if (group?.size === 0) this.#groups.delete(key);
  }
}

function meet(one: Known, other: PeerId): void {
  one.introduced.delete(other);
  one.introduced.add(other);
  forgetOldest(one.introduced, MAX_REMEMBERED);
}
