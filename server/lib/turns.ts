interface Waiting {
  readonly owner: object;
  readonly begin: () => void;
}

/**
 * Fair turns for several owners: this many pieces of work are under way at once, and of those that wait the owner goes first
 * whose last piece began longest ago. One with much to do delays another by a piece, and not by all that it has.
 */
export class Turns {
  readonly #most: number;
  readonly #waiting: Waiting[] = [];
  /** When each owner's last piece of work began, in pieces. */
  readonly #began = new WeakMap<object, number>();
  #pieces = 0;
  #working = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Pieces of work that wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Does a piece of work of `owner` when it is its turn. */
  async run<T>(owner: object, work: () => Promise<T>): Promise<T> {
    await this.#turn(owner);
    try {
      return await work();
    } finally {
      this.#working--;
      this.#next();
    }
  }

  #turn(owner: object): Promise<void> {
    return new Promise((begin) => {
      this.#waiting.push({ owner, begin });
      this.#next();
    });
  }

  #next(): void {
    if (this.#working >= this.#most) return;
    const [first, ...others] = this.#waiting;
    if (first === undefined) return;
    const ageOf = ({ owner }: Waiting) => this.#began.get(owner) ?? 0;
    const next = others.reduce((best, one) => (ageOf(one) < ageOf(best) ? one : best), first);
    this.#waiting.splice(this.#waiting.indexOf(next), 1);
    this.#began.set(next.owner, ++this.#pieces);
    this.#working++;
    next.begin();
  }
}
