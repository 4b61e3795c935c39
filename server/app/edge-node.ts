import { join } from "node:path";
import type { PassOptions } from "../http/pass-on.ts";
import type { Claims } from "../lib/claims.ts";
import type { Log } from "../lib/log.ts";
import type { LeaderLine } from "../lib/passing.ts";
import { sleepFor } from "../lib/sleep.ts";
import type { ThreadMerger } from "../merge/merge-pool.ts";
import type { Networks } from "../net/network.ts";
import { FollowedClock } from "../run/followed-clock.ts";
import { languageTask } from "../run/language-task.ts";
import type { TaskFactory } from "../run/options.ts";
import { openFollowedRun, type Run } from "../run/run.ts";
import type { RunService } from "../run/service.ts";
import type { ClusterStore } from "../store/followed-store.ts";
import { sqliteIndex } from "../store/sqlite-index.ts";
import { StoreError } from "../store/store.ts";
import { type ClusterOptions, openClusterEdge } from "./cluster.ts";
import { EdgeHealth } from "./edge-health.ts";
import { edgeService } from "./edge-service.ts";
import { bytesPerTokenOf } from "./language-evaluator.ts";
import { type OpenedCorpus, openCorpus, refreshed } from "./run-corpus.ts";
import { begunWith } from "./start.ts";

/** Milliseconds between two looks at what the leader has recorded. */
const FOLLOW_MS = 500;
/** Milliseconds for which an answer waits until this edge knows of its version. */
const REACH_MS = 3_000;
/** Milliseconds between two looks for it. What the leader has answered with is nearly always there at the first. */
const LOOK_AGAIN_MS = 50;
/** Times what was read is read again, where the leader has let go of it meanwhile. */
const MAX_TRIES = 5;

/** Time as an edge sees it. */
export interface EdgeTime {
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number;
  /** Rejects where the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

export interface EdgeParts {
  readonly store: ClusterStore;
  readonly corpus: OpenedCorpus;
  readonly task: TaskFactory;
  readonly log: Log;
  readonly time: EdgeTime;
  /** Where volunteers find copies of what they download: the address that the server that leads has too. */
  readonly mirror?: string | undefined;
  /** Makes versions again, where this server may come to lead. */
  readonly warming?: ThreadMerger | undefined;
  /** Names networks as the server that leads does, once it has said how. */
  readonly networks?: Pick<Networks, "share"> | undefined;
}

export const REAL_TIME: EdgeTime = {
  now: () => performance.now(),
  sleep: sleepFor,
};

/**
 * A server of a run that does not lead: it follows the journal on the cluster, answers what can be read from its own copy
 * of the model, takes deltas, and has the leader answer the rest.
 */
export class EdgeNode {
  readonly #store: ClusterStore;
  readonly #log: Log;
  readonly #corpus: OpenedCorpus;
  readonly #run: Run;
  readonly #time: EdgeTime;
  readonly #mirror: string | undefined;
  readonly #runClock: FollowedClock;
  readonly #warming: EdgeParts["warming"];
  /** When it heard of the run, for whoever looks after it. */
  readonly health: EdgeHealth;
  readonly #closing = new AbortController();
  readonly #lost = new AbortController();
  #following: Promise<void> | undefined;
  #loop: Promise<void> = Promise.resolve();

  private constructor(
    { store, corpus, log, time, mirror, warming }: EdgeParts,
    run: Run,
    clock: FollowedClock,
  ) {
    this.#warming = warming;
    this.#runClock = clock;
    this.#mirror = mirror;
    this.#store = store;
    this.#corpus = corpus;
    this.#run = run;
    this.#log = log;
    this.#time = time;
    this.health = new EdgeHealth(time.now);
  }

  /** Rejects with a StoreError where the run has not begun, or cannot be read. Its index lies in the directory. */
  static async open(
    directory: string,
    cluster: ClusterOptions,
    { log, mirror, networks, warming }: Pick<EdgeParts, "log" | "mirror" | "networks" | "warming">,
  ): Promise<EdgeNode> {
    const corpus = await openCorpus(directory);
    const store = await openClusterEdge(cluster, () => sqliteIndex(join(directory, "index.sqlite")));
    const parts = { store, corpus, log, mirror, networks, warming };
    return EdgeNode.over({ ...parts, task: languageTask, time: REAL_TIME });
  }

  /** The same over a store that is open, and closed where this rejects, as what makes versions again is. */
  static async over(parts: EdgeParts): Promise<EdgeNode> {
    const { store, corpus: opened, log, time } = parts;
    const runClock = new FollowedClock(time.now);
    try {
      for (let tries = 1; ; tries++) {
        try {
          if (store.length === 0) throw new StoreError("the run has not begun");
          const { task, corpus } = await begunWith(store, undefined, parts.task, opened.corpus);
          const run = await openFollowedRun({
            ...{ store, corpus: refreshed(opened, corpus, time.now), task, log, clock: time.now, runClock },
            ...(parts.warming && { warming: parts.warming }),
            random: () => new Uint8Array(), // draws nothing: it gives no work out
            bytesPerToken: (settings) => bytesPerTokenOf(opened, settings),
          });
          const node = new EdgeNode(parts, run, runClock);
          node.#hear(parts);
          node.#loop = node.#followOn();
          return node;
        } catch (error) {
          if (!(error instanceof StoreError) || tries === MAX_TRIES) throw error;
          await store.refresh(); // the leader has let go of something meanwhile
        }
      }
    } catch (error) {
      await store.close();
      await parts.warming?.close(); // opening may have merged
      throw error;
    }
  }

  /** Aborts where the journal can be followed no further: it was away for too long. Open it again. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** What it has read, for the store with which this server comes to lead. */
  get learned(): ClusterStore["learned"] {
    return this.#store.learned;
  }

  /** What this server would lead from. It makes no more versions. */
  known(): ReturnType<Run["known"]> {
    return this.#run.known();
  }

  get line(): LeaderLine {
    return this.#store.line;
  }

  get claims(): Claims {
    return this.#store.claims;
  }

  /** Where requests go that only the leader can answer. */
  get passing(): Pick<PassOptions, "ask" | "reached" | "takesDeltas" | "maxBytes"> {
    return {
      // Once the run clock is known, which says when a delta came: also while nobody leads.
      takesDeltas: () => this.#runClock.known && !this.#closing.signal.aborted,
      ask: (request, wait, left) => this.line.ask(request, wait, left),
      maxBytes: this.#run.maxUploadBytes,
      reached: (version) => this.#reached(version),
    };
  }

  /** What the routes read. What is not known (yet) is looked for on the cluster before the answer says so. */
  get service(): RunService {
    const catchUp = () => this.catchUp();
    return edgeService(this.#run, {
      catchUp,
      mirror: this.#mirror,
      acknowledged: () => this.health.acknowledged(),
    });
  }

  /** Messages of the journal that this edge does not know yet, and of the inbox that the journal does not have. */
  async waiting(): Promise<{ readonly journal: number; readonly inbox: number }> {
    const { unread, inbox } = this.#store;
    return { journal: (await unread?.()) ?? 0, inbox: (await inbox?.waiting()) ?? 0 };
  }

  /** Follows the journal to its end. */
  catchUp(): Promise<void> {
    this.#following ??= this.#follow().finally(() => {
      this.#following = undefined;
    });
    return this.#following;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#loop;
    await this.#following?.catch(() => {});
    await this.#run.close();
    await this.#warming?.close();
  }

  /** Hears from the server that leads. Where the run had no inbox before that one came, it is opened again: now it has. */
  #hear({ store, networks }: EdgeParts): void {
    store.line.hear(({ from, clock, networkKey }) => {
      this.health.heard();
      if (store.inbox === undefined) return this.#lost.abort();
      this.#runClock.hear(from, clock);
      networks?.share(networkKey);
    });
  }

  get #version(): number {
    return this.#run.manifest().version;
  }

  /** Resolves when this edge knows of a version, or after a moment, also while the cluster does not answer. */
  async #reached(version: number): Promise<void> {
    const { now, sleep } = this.#time;
    const until = now() + REACH_MS;
    const ending = new AbortController();
    const late = sleep(REACH_MS, ending.signal).catch(() => {});
    while (this.#version < version && now() < until) {
      await Promise.race([this.catchUp().catch(() => {}), late]);
      if (this.#version < version) await sleep(LOOK_AGAIN_MS, this.#closing.signal).catch(() => {});
      if (this.#closing.signal.aborted) break;
    }
    ending.abort();
  }

  async #follow(): Promise<void> {
    for (let tries = 1; ; tries++) {
      const since = this.health.now;
      await this.#store.refresh();
      try {
        await this.#run.follow();
        return this.health.followed(since);
      } catch (error) {
        if (!(error instanceof StoreError) || tries === MAX_TRIES) throw error;
        await this.#corpus.refresh(); // it may want text that was copied here meanwhile
      }
    }
  }

  async #followOn(): Promise<void> {
    const { signal } = this.#closing;
    for (let failed = false; !signal.aborted; ) {
      await this.#time.sleep(FOLLOW_MS, signal).catch(() => {});
      if (signal.aborted) return;
      try {
        await this.catchUp();
        failed = false;
      } catch (error) {
        if (error instanceof StoreError) return this.#lost.abort();
        if (!failed)
          this.#log.warn({ error: String(error) }, "the journal cannot be followed; it is tried again");
        failed = true;
      }
    }
  }
}
