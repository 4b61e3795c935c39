/**
 * How much of a room each network holds now, and whether it may have more: so that one sender, however many
 * addresses it has, cannot hold the room against everybody else. A sender without a name (network.ts) is bounded by
 * the room alone: behind a proxy that is not named to the server, that is everybody.
 */
export class PerNetworkQuota {
  readonly #most: number;
  readonly #held = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Whether it fits; then it is held, until it is given back. */
  take(network: string | undefined, amount = 1): boolean {
    if (network === undefined) return true;
    const held = (this.#held.get(network) ?? 0) + amount;
    if (held > this.#most) return false;
    this.#held.set(network, held);
    return true;
  }

  give(network: string | undefined, amount = 1): void {
    if (network === undefined) return;
    const held = (this.#held.get(network) ?? 0) - amount;
    if (held > 0) this.#held.set(network, held);
    else this.#held.delete(network);
  }
}
