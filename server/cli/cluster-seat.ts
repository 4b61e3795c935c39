import { setTimeout as sleep } from "node:timers/promises";
import type { App } from "../app/app.ts";
import { type ClusterOptions, openCluster } from "../app/cluster.ts";
import { EdgeNode } from "../app/edge-node.ts";
import { lockDirectory } from "../data-dir/lock.ts";
import { PassedLimiter } from "../http/passed-limiter.ts";
import type { ServeIo } from "../lib/io.ts";
import type { Log } from "../lib/log.ts";
import type { LeaderLine } from "../lib/passing.ts";
import type { Run } from "../run/run.ts";
import type { Store } from "../store/store.ts";
import { lineOf } from "./failure.ts";
import { abortOf } from "./listeners.ts";

/** Milliseconds after which a run is read again that could not be. */
const AGAIN_MS = 1_000;

export interface SeatParts {
  readonly app: App;
  readonly log: Log;
  readonly io: ServeIo;
  /** Where visitors of this machine reach the server. */
  readonly origin: string;
}

/** A server's place among those of a run on a cluster: an edge for as long as another one leads. */
export class ClusterSeat {
  readonly #cluster: ClusterOptions;
  readonly #directory: string;
  readonly #app: App;
  readonly #log: Log;
  readonly #io: ServeIo;
  readonly #origin: string;
  readonly #ending = new AbortController();
  #edge: Promise<void> | undefined;
  #line: LeaderLine | undefined;

  constructor(cluster: ClusterOptions, directory: string, { app, log, io, origin }: SeatParts) {
    this.#origin = origin;
    this.#cluster = cluster;
    this.#directory = directory;
    this.#app = app;
    this.#log = log;
    this.#io = io;
  }

  /** The run's store, once this server leads. */
  readonly openStore = async (directory: string): Promise<Store> => {
    const { signal, stderr } = this.#io;
    const waiting = (who: string) => {
      stderr.write(`${who} serves this run. Standing by as an edge, to take over when it ends.\n`);
      this.#begin();
    };
    const led = () => this.#endEdge();
    const warn = (line: string) => void stderr.write(`murmuration serve: ${line}\n`);
    const store = await openCluster(directory, this.#cluster, { standBy: { signal, waiting }, led, warn });
    this.#line = store.line;
    return store;
  };

  /** Answers what edges pass on, once the app serves the run. */
  lead(run: Run): void {
    const { maxUploadBytes } = run;
    const version = () => run.manifest().version;
    const limiter = new PassedLimiter(this.#app, { version, maxUploadBytes, now: () => performance.now() });
    this.#line?.answer(limiter.answer);
  }

  /** Is an edge until the operator stops it, whoever leads. */
  async stayEdge(): Promise<void> {
    const unlock = lockDirectory(this.#directory);
    try {
      this.#begin();
      await abortOf(this.#io.signal);
    } finally {
      await this.#endEdge();
      unlock();
    }
  }

  #begin(): void {
    this.#edge ??= this.#beEdge();
  }

  async #endEdge(): Promise<void> {
    this.#ending.abort();
    await this.#edge;
  }

  async #beEdge(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      const node = await this.#open();
      if (node === undefined) return;
      this.#app.follow(node);
      this.#io.stdout.write(`An edge of the run: ${this.#origin}/\n`);
      await Promise.race([abortOf(signal), abortOf(node.lost)]);
      // A server that comes to lead goes on with reads until then. That one lost the journal a balancer must hear.
      if (!signal.aborted) this.#app.unfollow();
      await node.close();
    }
  }

  /** Tries until the run can be read: it may not have begun, or the cluster may be electing. */
  async #open(): Promise<EdgeNode | undefined> {
    const { signal } = this.#ending;
    for (let said: string | undefined; !signal.aborted; ) {
      try {
        return await EdgeNode.open(this.#directory, this.#cluster, { log: this.#log });
      } catch (error) {
        const why = lineOf(error);
        if (why !== said) this.#io.stderr.write(`murmuration serve: no edge yet: ${why}\n`);
        said = why;
      }
      await sleep(AGAIN_MS, undefined, { signal }).catch(() => {});
    }
    return undefined;
  }
}
