import type { Hash, PeerId } from "../../protocol/ids.ts";

/** The objects that one browser says it shares. */
export interface Share {
  readonly holds: ReadonlySet<Hash>;
  /** Whether it can make the run's newest snapshot, whichever that is. */
  readonly latest: boolean;
  readonly wants: Hash | undefined;
}

/** The browsers that share one object. */
interface Sharers {
  readonly holding: Picks;
  /** Of those who hold it, how many also follow the run. */
  following: number;
  /** Those that want it and do not have it. */
  readonly seeking: Picks;
}

/**
 * Shares, indexed by object: adding one, removing one, or picking a few that share an object costs as much as the
 * share is long, however many others there are.
 */
export class Catalogue {
  readonly #objects = new Map<Hash, Sharers>();
  readonly #followers = new Picks();
  #entries = 0;

  /** Objects that are held or sought, counted once for each browser: what the memory goes by. */
  get entries(): number {
    return this.#entries;
  }

  add(id: PeerId, { holds, latest, wants }: Share): void {
    this.#entries += entriesOf({ holds, latest, wants });
    if (latest) this.#followers.add(id);
    for (const hash of holds) {
      const sharers = this.#sharersOf(hash);
      sharers.holding.add(id);
      if (latest) sharers.following++;
    }
    if (wants !== undefined && !holds.has(wants)) this.#sharersOf(wants).seeking.add(id);
  }

  delete(id: PeerId, { holds, latest, wants }: Share): void {
    this.#entries -= entriesOf({ holds, latest, wants });
    this.#followers.delete(id);
    for (const hash of wants === undefined ? holds : new Set([...holds, wants])) {
      const sharers = this.#objects.get(hash);
      if (sharers === undefined) continue;
      if (sharers.holding.delete(id) && latest) sharers.following--;
      sharers.seeking.delete(id);
      if (sharers.holding.size + sharers.seeking.size === 0) this.#objects.delete(hash);
    }
  }

  /** How many have an object and how many seek it, and a way to look at each of them; `isNewest`: followers have it. */
  sharing(hash: Hash, isNewest: boolean): { holders: number; seekers: number; pools: readonly Picks[] } {
    const { holding, following, seeking } = this.#objects.get(hash) ?? NOBODY;
    const followers = isNewest ? this.#followers : NOBODY.holding;
    return {
      holders: holding.size + (isNewest ? followers.size - following : 0),
      seekers: seeking.size,
      pools: [holding, followers, seeking],
    };
  }

  #sharersOf(hash: Hash): Sharers {
    const known = this.#objects.get(hash);
    if (known !== undefined) return known;
    const sharers = { holding: new Picks(), following: 0, seeking: new Picks() };
    this.#objects.set(hash, sharers);
    return sharers;
  }
}

const entriesOf = ({ holds, wants }: Share): number => holds.size + (wants === undefined ? 0 : 1);

/** Members up to which one is found by looking at all: most objects of a liar are shared by nobody else. */
const FEW = 16;

/** A set whose members can be picked by number, for a draw that does not look at all of them. */
export class Picks {
  readonly #list: PeerId[] = [];
  /** Where each stands in the list, once there are more than a few. */
  #places: Map<PeerId, number> | undefined;

  get size(): number {
    return this.#list.length;
  }

  /** From 0 to below {@link size}, in no lasting order. */
  at(place: number): PeerId | undefined {
    return this.#list[place];
  }

  add(id: PeerId): void {
    if (this.#placeOf(id) >= 0) return;
    this.#places?.set(id, this.#list.length);
    this.#list.push(id);
    if (this.#list.length > FEW) this.#places ??= new Map(this.#list.map((one, place) => [one, place]));
  }

  /** Whether it was there. */
  delete(id: PeerId): boolean {
    const place = this.#placeOf(id);
    if (place < 0) return false;
    this.#places?.delete(id);
    const last = this.#list.pop();
    if (last === undefined || last === id) return true;
    this.#list[place] = last;
    this.#places?.set(last, place);
    return true;
  }

  #placeOf(id: PeerId): number {
    return this.#places === undefined ? this.#list.indexOf(id) : (this.#places.get(id) ?? -1);
  }
}

const NOBODY: Sharers = { holding: new Picks(), following: 0, seeking: new Picks() };
