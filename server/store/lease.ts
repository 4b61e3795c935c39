import { StoreError } from "./store.ts";

/** Milliseconds between two signs of life of the server that leads a run. */
export const RENEW_MS = 500;
/**
 * Milliseconds without a sign, on a cluster that answers, after which a server is taken for dead: six signs. It is most of a
 * takeover, whose rest is a second or two. One that was only busy for so long ends, and loses nothing.
 */
export const SILENCE_MS = 3_000;
/**
 * The same for a server that has no connection to the cluster either, as one whose process has ended. Longer than one takes to
 * find another node when its own has died.
 */
export const GONE_MS = 1_500;
/** Looks in a row that must find it so. */
const GONE_LOOKS = 2;

/** What a server that leads a run posts, again and again. */
export interface Sign {
  /** Names the process among all that ever lead. */
  readonly writer: string;
  /** Names it to a person. */
  readonly who: string;
  /** Its last: it has stopped, and any other may lead. */
  readonly over: boolean;
}

/** Where the newest sign stands, for all servers to see. */
export interface SignBoard {
  last(): Promise<(Sign & { readonly seq: number }) | undefined>;
  /** Resolves to the sign's number; to undefined, and posts nothing, where the newest is not number `after`. */
  post(sign: Sign, after: number): Promise<number | undefined>;
  /** Whether the cluster has no connection to that writer now. */
  isGone(writer: string): Promise<boolean>;
}

export interface LeaseOptions {
  readonly board: SignBoard;
  readonly writer: string;
  readonly who: string;
  /** Milliseconds on any clock that never goes back. */
  readonly now: () => number;
  /** Rejects where the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Waits for as long as another server leads, and says which. Absent: refuses where one does. */
  readonly standBy?: { readonly waiting: (who: string) => void; readonly signal: AbortSignal };
}

/** Milliseconds for which one that does not stand by waits at first for a cluster that does not answer: it may elect. */
const FIRST_LOOK_MS = 20_000;
const NEVER = new AbortController().signal;

/**
 * Of several servers of one run the one that leads. A lease makes a takeover quick and a change of hands rare; it does not
 * make it safe: that is the log's, in which only one writer can append, whatever clocks and leases say. No two clocks are
 * compared: a server that hears nothing new for {@link SILENCE_MS} by its own takes the lease, or for {@link GONE_MS} from
 * one that is not there.
 */
export class Lease {
  readonly #options: LeaseOptions;
  readonly #lost = new AbortController();
  readonly #released = new AbortController();
  #seq: number;
  #keeping: Promise<void>;

  private constructor(options: LeaseOptions, seq: number) {
    this.#options = options;
    this.#seq = seq;
    this.#keeping = this.#keep();
  }

  /** Rejects with a StoreError where another server leads and this one does not stand by; with the signal's reason. */
  static async acquire(options: LeaseOptions): Promise<Lease> {
    const { board, now, writer, standBy } = options;
    const pause = () => options.sleep(RENEW_MS / 2, standBy?.signal ?? NEVER);
    let last = await firstLook(options, pause);
    let since = now();
    for (let told = false, gone = 0; ; ) {
      standBy?.signal.throwIfAborted();
      const silentMs = now() - since;
      const free = last === undefined || last.over || silentMs >= SILENCE_MS || gone >= GONE_LOOKS;
      const before: typeof last = last;
      try {
        const seq = free ? await board.post(signOf(options, false), last?.seq ?? 0) : await pause();
        if (seq !== undefined) return new Lease(options, seq);
        last = await board.last();
        const isAway = silentMs >= GONE_MS && last !== undefined && (await board.isGone(last.writer));
        gone = isAway && last?.seq === before?.seq ? gone + 1 : 0;
      } catch {
        gone = 0;
        since = now(); // while the cluster elects a leader nobody can post a sign: that is no silence
        await pause().catch(() => {});
      }
      if (last === undefined || last.seq === before?.seq) continue;
      if (last.writer === writer) return new Lease(options, last.seq); // posted, and the answer was lost
      since = now();
      if (last.over || told) continue;
      if (standBy === undefined) throw new StoreError(`${last.who} serves this run`);
      standBy.waiting(last.who);
      told = true;
    }
  }

  /** Aborts where another server has taken the lease. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Lets the next server lead at once. */
  async release(): Promise<void> {
    this.#released.abort();
    await this.#keeping;
    if (!this.#lost.signal.aborted) await this.#post(true).catch(() => {}); // else it is silent, which says the same
  }

  async #keep(): Promise<void> {
    const { sleep } = this.#options;
    while (!this.#lost.signal.aborted) {
      try {
        await sleep(RENEW_MS, this.#released.signal);
      } catch {
        return;
      }
      await this.#post(false).catch(() => {}); // nobody answers: the next sign will show who leads
    }
  }

  async #post(over: boolean): Promise<void> {
    const { board, writer } = this.#options;
    const seq = await board.post(signOf(this.#options, over), this.#seq);
    if (seq !== undefined) {
      this.#seq = seq;
      return;
    }
    const last = await board.last();
    if (last?.writer === writer)
      this.#seq = last.seq; // posted, and the answer was lost
    else this.#lost.abort();
  }
}

/** The newest sign, once the cluster says. */
async function firstLook({ board, now, standBy }: LeaseOptions, pause: () => Promise<void>) {
  for (const began = now(); ; await pause().catch(() => {})) {
    standBy?.signal.throwIfAborted();
    try {
      return await board.last();
    } catch (error) {
      if (standBy === undefined && now() - began >= FIRST_LOOK_MS) throw error;
    }
  }
}

const signOf = ({ writer, who }: LeaseOptions, over: boolean): Sign => ({ writer, who, over });
