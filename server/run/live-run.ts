import type { State } from "../coordinator/state.ts";
import type { KnownVectors } from "../merge/vectors.ts";
import { Effects } from "./effects.ts";
import { EventLog, type Recordable } from "./event-log.ts";
import { Follower } from "./follower.ts";
import { addedAt, type RunDefinition, rulesOf } from "./genesis.ts";
import { InboxTaker } from "./inbox-taker.ts";
import { IndexFeed } from "./index-feed.ts";
import { Listeners } from "./listeners.ts";
import type { RunOptions } from "./options.ts";
import type { Applied, Projections } from "./projections.ts";
import { type PublishedVersions, publishedVersions } from "./published-versions.ts";
import { Publisher } from "./publisher.ts";
import { Quality } from "./quality.ts";
import type { Recovered } from "./recover.ts";
import { RunClock } from "./run-clock.ts";
import type { ServerIdentity } from "./server-key.ts";
import { WaitingList } from "./waiting-list.ts";
import { WarmVectors } from "./warm-vectors.ts";

/** The parts of a run that is being served, and what each durable event means to them. */
export class LiveRun {
  readonly index: IndexFeed;
  readonly listeners: Listeners;
  readonly clock: RunClock;
  readonly events: EventLog;
  readonly versions: PublishedVersions;
  readonly publisher: Publisher;
  readonly quality: Quality;
  /** Requests that wait for something to change; each looks again at every tick. */
  readonly waiting = new WaitingList();
  readonly #options: RunOptions;
  readonly #projections: Projections;
  readonly #effects: Effects;
  readonly #follower: Follower;
  /** Of one that another process serves, and this one may. */
  readonly #warm: WarmVectors | undefined;
  /** Of a run with several servers. */
  readonly #taker: InboxTaker | undefined;
  #definition: RunDefinition;
  #closed = false;

  constructor(options: RunOptions, identity: ServerIdentity, recovered: Recovered) {
    const { store, log } = options;
    const { definition, projections, vectors, file, stored } = recovered;
    const { state } = projections;
    this.#options = options;
    this.#definition = definition;
    this.#projections = projections;
    this.index = new IndexFeed(store.index, (error) =>
      log.warn({ error: String(error) }, "the index cannot be written; it is tried again"),
    );
    this.listeners = new Listeners(log);
    this.clock = new RunClock(options.clock, state.at);
    this.events = new EventLog({
      ...{ store, projections, clock: this.clock },
      rules: () => this.definition.rules,
      applied: (event, applied) => this.#applied(event, applied),
    });
    this.versions = publishedVersions(store, definition, state.hash, { vectors, file }, stored);
    this.publisher = new Publisher({
      ...{ options, identity, projections, clock: this.clock, events: this.events, versions: this.versions },
      definition: () => this.definition,
      ended: () => this.tick(),
    });
    this.quality = new Quality({
      ...{ options, clock: this.clock, events: this.events, late: projections.late },
      ...{ versions: this.versions, publisher: this.publisher, signer: identity.signer },
      definition: () => this.definition,
    });
    const { listeners, quality, publisher, versions, index } = this;
    const { version, hash, tokens } = state;
    const warm = options.warming && { store, definition, log, merger: options.warming };
    this.#warm = warm && new WarmVectors(warm, { version, hash, vectors });
    this.#effects = new Effects({ projections, listeners, quality, publisher, versions });
    this.#follower = new Follower({
      ...{ store, projections, versions, index, listeners, observe: options.observe, warm: this.#warm },
      rules: () => this.definition.rules,
      requireText: (text) => addedAt(options.corpus.added?.() ?? [], this.state.texts.length, text),
      textAdded: () => this.tune(),
    });
    const { inbox, deposed } = store;
    this.#taker = inbox && new InboxTaker({ inbox, run: this, deposed, log });
    store.deposed.addEventListener("abort", () => this.#stop());
    log.info({ run: definition.id, version, hash, tokens }, "run opened");
  }

  get definition(): RunDefinition {
    return this.#definition;
  }

  get state(): State {
    return this.#projections.state;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** No ticket is outstanding, and no delta waits to be merged. */
  get drained(): boolean {
    const { soft, pool, closing } = this.state;
    return soft.leases.size === 0 && pool.length === 0 && closing === undefined;
  }

  /** Decides by these settings, and on the text that is there now, from here on. What was decided before is journaled and stays. */
  tune(settings = this.#definition.settings, texts = this.state.texts): void {
    const { id, task } = this.#definition;
    const rules = rulesOf(id, settings, this.#options.corpus, task.parameters, texts);
    this.#definition = { ...this.#definition, settings, rules };
  }

  /** Lets time act. */
  tick(): void {
    this.publisher.tick();
    if (!this.#closed) {
      this.#effects.perform(this.events.take({ type: "tick" }));
      this.quality.volunteers?.tick();
    }
    this.waiting.wake();
  }

  /** Begins to journal what the run's servers have acknowledged, where it has several. */
  take(): void {
    this.#taker?.start();
  }

  /** Applies what another process has recorded since this one read the journal. See {@link Follower.follow}. */
  follow(): Promise<void> {
    return this.#follower.follow();
  }

  /** What this process has made of a run that it follows: it makes no more. */
  known(): Promise<KnownVectors | undefined> {
    return this.#warm?.stop() ?? Promise.resolve(undefined);
  }

  /** Takes nothing more, waits for what is being written, and closes the store. */
  async close(): Promise<void> {
    await this.#stop();
    await this.#warm?.stop();
    await this.#taker?.stop();
    await this.events.idle();
    await this.versions.idle();
    await this.#options.store.close();
  }

  /** Takes and begins nothing more; resolves when what was under way has ended. */
  #stop(): Promise<void> {
    this.#closed = true;
    const stopped = this.publisher.stop();
    this.tick();
    this.quality.stop();
    return stopped;
  }

  #applied(event: Recordable, { effects, ended, facts }: Applied): void {
    this.#options.observe?.(event, ended);
    if (event.type === "accepted") this.clock.reach(event.at);
    this.index.add(facts);
    if (event.type === "published" || event.type === "rolled-back") this.versions.advance(event.hash);
    if (event.type === "text-added") this.tune();
    if (event.type === "published") this.quality.weigh(event.version);
    if (event.type === "rolled-back") {
      const { version, hash, reason } = event;
      this.versions.rolledBack({ version, hash, needs: this.#projections.applied });
      if (reason === "held-out loss") this.quality.inquire();
    }
    this.#effects.perform(effects);
  }
}
