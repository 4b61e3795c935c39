import { isDrained, type State } from "../coordinator/state.ts";
import type { KnownVectors } from "../merge/vectors.ts";
import { AppliedEvents } from "./applied-events.ts";
import { Effects } from "./effects.ts";
import { EventLog } from "./event-log.ts";
import { Follower } from "./follower.ts";
import type { RunDefinition } from "./genesis.ts";
import { InboxTaker } from "./inbox-taker.ts";
import { IndexFeed } from "./index-feed.ts";
import { Listeners } from "./listeners.ts";
import { LiveDefinition } from "./live-definition.ts";
import type { RunOptions } from "./options.ts";
import type { Projections } from "./projections.ts";
import { type PublishedVersions, publishedVersions } from "./published-versions.ts";
import { Publisher } from "./publisher.ts";
import { Quality } from "./quality.ts";
import type { Recovered } from "./recover.ts";
import { RunClock } from "./run-clock.ts";
import type { ServerIdentity } from "./server-key.ts";
import { WaitingList } from "./waiting-list.ts";
import { WarmVectors } from "./warm-vectors.ts";

/** The parts of a run that is being served. */
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
  readonly #applied: AppliedEvents;
  readonly #follower: Follower;
  /** Of a run with several servers. */
  readonly #taker: InboxTaker | undefined;
  readonly #definition: LiveDefinition;
  #closed = false;

  constructor(options: RunOptions, identity: ServerIdentity, recovered: Recovered) {
    const { store, log } = options;
    const { definition, projections, vectors, file, stored } = recovered;
    const { state, late } = projections;
    this.#options = options;
    this.#definition = new LiveDefinition(definition, options.corpus);
    this.#projections = projections;
    this.index = new IndexFeed(store.index, (error) =>
      log.warn({ error: String(error) }, "the index cannot be written; it is tried again"),
    );
    this.listeners = new Listeners(log);
    this.clock = new RunClock(options.clock, state.at);
    const { rules, current } = this.#definition;
    this.events = new EventLog({
      ...{ store, projections, clock: this.clock, rules },
      applied: (event, applied) => this.#applied.apply(event, applied),
    });
    this.versions = publishedVersions(store, definition, state.hash, { vectors, file }, stored);
    const { listeners, versions, index, clock, events } = this;
    const shared = { options, clock, events, versions, definition: current };
    this.publisher = new Publisher({ ...shared, identity, projections, ended: () => this.tick() });
    this.quality = new Quality({ ...shared, late, publisher: this.publisher, signer: identity.signer });
    const { quality, publisher } = this;
    this.#effects = new Effects({ projections, listeners, quality, publisher, versions });
    const { version, hash, tokens } = state;
    const warm = options.warming && { store, definition, log, merger: options.warming };
    const { observe } = options;
    const following = { projections, versions, index, observe, textAdded: () => this.tune() };
    this.#applied = new AppliedEvents({ ...following, clock, quality, effects: this.#effects });
    this.#follower = new Follower({
      ...{ ...following, store, listeners, rules },
      warm: warm && new WarmVectors(warm, { version, hash, vectors }),
      requireText: (text) => this.#definition.requireText(text, this.state.texts),
    });
    const { inbox, deposed } = store;
    this.#taker = inbox && new InboxTaker({ inbox, run: this, deposed, log });
    store.deposed.addEventListener("abort", () => this.#stop());
    log.info({ run: definition.id, version, hash, tokens }, "run opened");
  }

  get definition(): RunDefinition {
    return this.#definition.current();
  }

  get state(): State {
    return this.#projections.state;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get drained(): boolean {
    return isDrained(this.state);
  }

  /** Decides by these settings, and on the text that is there now, from here on. What was decided before is journaled and stays. */
  tune(settings = this.definition.settings, texts = this.state.texts): void {
    this.#definition.tune(settings, texts);
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
    return this.#follower.stop();
  }

  /** Takes nothing more, waits for what is being written, and closes the store. */
  async close(): Promise<void> {
    await this.#stop();
    await this.#follower.stop();
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
}
