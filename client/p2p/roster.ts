import type { Hash, PeerId } from "../../protocol/ids.ts";
import { MAX_DIALLED, MAX_PEERS } from "./limits.ts";
import { Peer } from "./peer.ts";

/** The peers that are dialled or connected, and those that are not wanted back. */
export class Roster {
  readonly #peers = new Map<PeerId, Peer>();
  /** Peers that lied or stalled: neither dialled nor let in again. */
  readonly #shunned = new Set<PeerId>();
  /** Peers that left: not dialled again, unless it was we who moved. */
  readonly #left = new Set<PeerId>();

  get peers(): ReadonlyMap<PeerId, Peer> {
    return this.#peers;
  }

  /** Open connections. */
  get connected(): readonly PeerId[] {
    return [...this.#peers].filter(([, { open }]) => open).map(([id]) => id);
  }

  /** Peers that want to hear of an object. */
  wanting(object: Hash): PeerId[] {
    return [...this.#peers].filter(([, { wants }]) => wants.has(object)).map(([id]) => id);
  }

  get isFull(): boolean {
    return this.#peers.size >= MAX_PEERS;
  }

  isShunned(id: PeerId): boolean {
    return this.#shunned.has(id);
  }

  /** Takes in the introduced peers that are to be dialled now, and returns them. */
  dial(introduced: readonly PeerId[], now: number): PeerId[] {
    let ours = 0;
    for (const { dialled } of this.#peers.values()) if (dialled) ours++;
    const dialled: PeerId[] = [];
    for (const id of introduced) {
      if (ours + dialled.length >= MAX_DIALLED || this.isFull) break;
      if (this.#peers.has(id) || this.#shunned.has(id) || this.#left.has(id)) continue;
      this.#peers.set(id, new Peer(true, now));
      dialled.push(id);
    }
    return dialled;
  }

  /** A connection opened, whoever dialled. */
  open(id: PeerId, now: number): void {
    const peer = this.#peers.get(id) ?? new Peer(false, now);
    peer.opened(now);
    this.#peers.set(id, peer);
  }

  /** A peer that came to us, wants nothing of us and that we do not need: it can go where every place is taken. */
  dispensable(isNeeded: (id: PeerId) => boolean, now: number): PeerId | undefined {
    for (const [id, peer] of this.#peers) if (peer.isIdle(now) && !isNeeded(id)) return id;
    return undefined;
  }

  /** Dialled peers that have not opened in time. */
  overdue(now: number): PeerId[] {
    return [...this.#peers]
      .filter(([, { lostAt }]) => lostAt !== undefined && now >= lostAt)
      .map(([id]) => id);
  }

  remove(id: PeerId): void {
    this.#peers.delete(id);
  }

  /** Does not dial a peer again, if it is here, until we move. */
  leave(id: PeerId): void {
    if (this.#peers.has(id)) this.#left.add(id);
  }

  /** Neither dials a peer again nor lets it in. */
  shun(id: PeerId): void {
    this.#shunned.add(id);
  }

  /** Our network changed: peers that left may only have been cut off by us. */
  moved(): void {
    this.#left.clear();
  }
}
