import type { App } from "../app/app.ts";
import { type ClusterOptions, openCluster } from "../app/cluster.ts";
import { EdgeNode, type EdgeTime, REAL_TIME } from "../app/edge-node.ts";
import type { EdgeWatch } from "../app/edge-watch.ts";
import { WorkerNode } from "../app/worker-node.ts";
import { lockDirectory } from "../data-dir/lock.ts";
import { PassedLimiter } from "../http/passed-limiter.ts";
import type { ServeIo } from "../lib/io.ts";
import type { JobLine } from "../lib/jobs.ts";
import type { Log } from "../lib/log.ts";
import type { LeaderLine } from "../lib/passing.ts";
import { mergeInPool } from "../merge/merge-pool.ts";
import type { Mirror } from "../mirror/mirror.ts";
import type { Run } from "../run/run.ts";
import type { ClusterStore, Handover } from "../store/followed-store.ts";
import type { Store } from "../store/store.ts";
import { requireSynced } from "../store/synced-cluster.ts";
import type { WorkerTask } from "../workers/tasks.ts";
import { lineOf } from "./failure.ts";
import { abortOf } from "./listeners.ts";

/** Milliseconds after which a run is read again that could not be. */
const AGAIN_MS = 1_000;
/** Milliseconds between two beats of the server that leads: a run clock that is heard of goes on for six. */
const BEAT_MS = 500;

/** What a seat opens: the run's store once it may lead, and before that what follows the run. */
export interface SeatOpens {
  readonly store: (
    ...given: Parameters<typeof openCluster>
  ) => Promise<Pick<ClusterStore, keyof Store | "line" | "jobs">>;
  readonly edge: (...given: Parameters<typeof EdgeNode.open>) => Promise<FollowingNode>;
  /** Refuses a cluster that may lose what it acknowledges. */
  readonly synced: typeof requireSynced;
  /** What works for the server that leads. */
  readonly worker: (...given: Parameters<typeof WorkerNode.open>) => Promise<Pick<WorkerNode, "close">>;
  readonly sleep: EdgeTime["sleep"];
}

type FollowingNode = Pick<
  EdgeNode,
  "service" | "passing" | "lost" | "learned" | "known" | "health" | "claims" | "waiting" | "close"
>;

const REAL: SeatOpens = {
  store: openCluster,
  edge: EdgeNode.open,
  synced: requireSynced,
  worker: WorkerNode.open,
  sleep: REAL_TIME.sleep,
};

export interface SeatParts {
  readonly app: Pick<App, "fetch" | "follow" | "unfollow" | "networks">;
  readonly log: Log;
  readonly io: ServeIo;
  /** Where visitors of this machine reach the server. */
  readonly origin: string;
  /** Where volunteers find copies of what they download. */
  readonly mirror?: Pick<Mirror, "url" | "requireOurs"> | undefined;
  /** What it takes off the server that leads. */
  readonly tasks?: readonly WorkerTask[];
  /** Tells the operator how the run does while another server leads it, or none. */
  readonly watch?: Pick<EdgeWatch, "run" | "over"> | undefined;
  readonly opens?: SeatOpens;
}

/** A server's place among those of a run on a cluster: an edge for as long as another one leads. */
export class ClusterSeat {
  readonly #cluster: ClusterOptions;
  readonly #directory: string;
  readonly #app: SeatParts["app"];
  readonly #log: Log;
  readonly #io: ServeIo;
  readonly #origin: string;
  readonly #mirror: SeatParts["mirror"];
  readonly #tasks: readonly WorkerTask[];
  readonly #watch: SeatParts["watch"];
  readonly #opens: SeatOpens;
  readonly #ending = new AbortController();
  /** Aborts with the reason why this server may not serve the run, which only who follows it finds. */
  readonly #refused = new AbortController();
  /** What this server does while another one leads. */
  #edge: Promise<unknown> | undefined;
  /** What follows the run now, or did last. */
  #node: FollowingNode | undefined;
  #following: FollowingNode | undefined;
  /** What this server made of the run while it stood by. */
  #known: Awaited<ReturnType<EdgeNode["known"]>>;
  /** Whether the cluster syncs what it acknowledges: nothing is written before that is known. */
  #synced: Promise<void> | undefined;
  #line: LeaderLine | undefined;
  #jobs: JobLine | undefined;

  constructor(
    cluster: ClusterOptions,
    directory: string,
    { app, log, io, origin, mirror, watch, tasks = [], opens = REAL }: SeatParts,
  ) {
    this.#watch = watch;
    this.#tasks = tasks;
    this.#mirror = mirror;
    this.#opens = opens;
    this.#origin = origin;
    this.#cluster = cluster;
    this.#directory = directory;
    this.#app = app;
    this.#log = log;
    this.#io = io;
  }

  /** The run's store, once this server leads. */
  readonly openStore = async (directory: string): Promise<Store> => {
    const { stderr } = this.#io;
    const signal = AbortSignal.any([this.#io.signal, this.#refused.signal]);
    const waiting = (who: string) => {
      stderr.write(`${who} serves this run. Standing by as an edge, to take over when it ends.\n`);
      this.#begin(true);
    };
    const led = (): Handover => {
      const over = this.#endEdge();
      void this.#watch?.over();
      return { learned: this.#node?.learned, over };
    };
    const warn = this.#warn;
    try {
      await this.requireSynced();
      const standBy = { signal, waiting };
      const store = await this.#opens.store(directory, this.#cluster, { standBy, led, warn });
      this.#line = store.line;
      this.#jobs = store.jobs;
      return store;
    } catch (error) {
      await this.#endEdge(); // stopped while another server led: what follows the run would keep the process alive
      this.#refused.signal.throwIfAborted();
      throw error;
    }
  };

  /** What an opened run can go on from, once the store is open. */
  readonly known = () => {
    const known = this.#known;
    this.#known = undefined; // it is large, and old soon
    return known;
  };

  /** Where other servers take work, once this one leads. */
  readonly jobs = (): JobLine | undefined => this.#jobs;

  /** Answers what edges pass on, once the app serves the run, and tells them what they need. */
  lead(run: Pick<Run, "manifest" | "maxUploadBytes" | "now" | "deposed">): void {
    const { maxUploadBytes } = run;
    const version = () => run.manifest().version;
    const limiter = new PassedLimiter(this.#app, { version, maxUploadBytes, now: () => performance.now() });
    this.#line?.answer(limiter.answer);
    const over = AbortSignal.any([this.#io.signal, run.deposed]);
    this.#beat(run, over).catch(() => {}); // the store was closed: others hear no more of this server
  }

  async #beat(run: Pick<Run, "now">, over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      this.#line?.tell({ clock: run.now, networkKey: this.#app.networks.key });
      await this.#opens.sleep(BEAT_MS, over).catch(() => {});
    }
  }

  /** Is an edge until the operator stops it, whoever leads. */
  async stayEdge(): Promise<void> {
    const unlock = lockDirectory(this.#directory);
    try {
      this.#begin(false);
      await Promise.race([abortOf(this.#io.signal), abortOf(this.#refused.signal)]);
      this.#refused.signal.throwIfAborted();
    } finally {
      await this.#endEdge();
      unlock();
    }
  }

  #begin(mayLead: boolean): void {
    if (this.#edge !== undefined) return;
    this.#edge = Promise.all([this.#beEdge(mayLead), ...(this.#tasks.length > 0 ? [this.#work()] : [])]);
    // Nothing waits for it: whom it tells may be slow to answer.
    void this.#watch?.run(() => this.#following, this.#opens.sleep, this.#ending.signal);
  }

  async #endEdge(): Promise<void> {
    this.#ending.abort();
    await this.#edge;
  }

  async #beEdge(mayLead: boolean): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      const about = { log: this.#log, mirror: this.#mirror?.url, networks: this.#app.networks };
      const open = async () => {
        await this.requireSynced();
        const warming = mayLead ? mergeInPool() : undefined;
        return this.#opens.edge(this.#directory, this.#cluster, { ...about, warming });
      };
      const node = await this.#patiently(open, "no edge yet");
      if (node === undefined) return;
      if (!(await this.#hasOwnMirror(node))) return node.close();
      this.#node = node;
      this.#following = node;
      this.#app.follow(node);
      this.#io.stdout.write(`An edge of the run: ${this.#origin}/\n`);
      await Promise.race([abortOf(signal), abortOf(node.lost)]);
      this.#following = undefined;
      // A server that comes to lead goes on with reads until then. That one lost the journal a balancer must hear.
      if (signal.aborted) this.#known = await node.known();
      else this.#app.unfollow();
      await node.close();
    }
  }

  readonly #warn = (line: string) => void this.#io.stderr.write(`murmuration serve: ${line}\n`);

  /**
   * Rejects where the cluster cannot be used, or may lose what it acknowledges. Once for each server: it asks a port that only
   * tells how a node was started.
   */
  requireSynced(): Promise<void> {
    this.#synced ??= this.#opens.synced(this.#cluster, this.#warn).catch((error: unknown) => {
      this.#synced = undefined;
      throw error;
    });
    return this.#synced;
  }

  /** Looks once whether the mirror is this run's: volunteers are sent there, and this server may come to write to it. */
  async #hasOwnMirror({ service }: FollowingNode): Promise<boolean> {
    if (this.#node !== undefined) return true;
    try {
      await this.#mirror?.requireOurs(service.manifest().run);
      return true;
    } catch (error) {
      this.#refused.abort(error);
      return false;
    }
  }

  /** Works for the server that leads, until this one does. */
  async #work(): Promise<void> {
    const about = { tasks: this.#tasks, log: this.#log };
    const open = () => this.#opens.worker(this.#directory, this.#cluster, about);
    const node = await this.#patiently(open, "no work is taken yet");
    if (node === undefined) return;
    await abortOf(this.#ending.signal);
    await node.close();
  }

  /** Tries until the run can be read: it may not have begun, or the cluster may be electing. */
  async #patiently<T>(open: () => Promise<T>, what: string): Promise<T | undefined> {
    const { signal } = this.#ending;
    for (let said: string | undefined; !signal.aborted; ) {
      try {
        return await open();
      } catch (error) {
        const why = lineOf(error);
        if (why !== said) this.#io.stderr.write(`murmuration serve: ${what}: ${why}\n`);
        said = why;
      }
      await this.#opens.sleep(AGAIN_MS, signal).catch(() => {});
    }
    return undefined;
  }
}
