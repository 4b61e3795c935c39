import type { RunEvent } from "../../protocol/events.ts";
import { type Identity, sha256 } from "../../protocol/identity.ts";
import type { Hash, TicketId } from "../../protocol/ids.ts";
import type { Upload } from "../../protocol/upload.ts";
import type { Closed, Created, DurableEvent, Effect, RolledBack, SoftEvent } from "../coordinator/events.ts";
import { endsOf } from "../coordinator/outcomes.ts";
import { reduce } from "../coordinator/reduce.ts";
import type { Rules } from "../coordinator/rules.ts";
import type { State } from "../coordinator/state.ts";
import type { Vectors } from "../merge/merge.ts";
import { MergeFailures } from "../merge/merge-failures.ts";
import { mergeHere } from "../merge/merger.ts";
import { StoreError } from "../store/store.ts";
import type { Candidate } from "../trust/candidate.ts";
import type { Gauge } from "../trust/gauge.ts";
import { Alarm } from "./alarm.ts";
import { type Audits, auditsOf } from "./audits.ts";
import type { SnapshotPlace } from "./checkpoint.ts";
import { dropDiff, readDiff, saveDiff } from "./diffs.ts";
import { Evaluations, type Measured } from "./evaluations.ts";
import { factsOf } from "./facts.ts";
import type { Founded } from "./genesis.ts";
import { type Seal, seal } from "./history.ts";
import { IndexFeed } from "./index-feed.ts";
import { hashInPieces } from "./large-hash.ts";
import type { LateMerges } from "./late-merges.ts";
import { Listeners } from "./listeners.ts";
import { oldWeights } from "./old-weights.ts";
import type { RunOptions } from "./options.ts";
import { RecentFiles } from "./recent-files.ts";
import { encodeRecord } from "./record.ts";
import type { Recovered } from "./recover.ts";
import { jobOf } from "./remerge.ts";
import { Retention } from "./retention.ts";
import type { Settings } from "./settings.ts";
import { loadSnapshot, readSnapshotFile } from "./snapshots.ts";
import { placesOf } from "./story.ts";

/** After a failed write the next try waits so long: a full disk is not emptied in a tick. */
const RETRY_MS = 1_000;
/** Who asks for work waits so long for a merge at most: only a very large model's takes longer. */
const MERGE_WAIT_MS = 2_000;

type Recordable = Exclude<DurableEvent, Created>;

/** A version's vectors and the file they are published as. */
interface Current {
  readonly vectors: Vectors;
  readonly file: Uint8Array<ArrayBuffer>;
}

/**
 * The shell around the reducer: holds the state and the vectors, journals decisions, and does what the
 * effects ask. A durable event is appended first and applied when it is durable, in journal order, by
 * {@link Core.record}: the one way to change the state. A crash at any point loses only what was never
 * acknowledged.
 */
export class Core {
  #founded: Founded;
  readonly index: IndexFeed;
  readonly #options: RunOptions;
  readonly #identity: Identity;
  readonly #evaluations: Evaluations | undefined;
  readonly #audits: Audits | undefined;
  readonly #alarm: Alarm;
  readonly #late: LateMerges;
  readonly #retention: Retention;
  readonly #listeners: Listeners;
  /** Journal places of the frames not yet merged. */
  readonly #frames: Map<TicketId, number>;
  readonly #recent: RecentFiles;
  readonly #startedAt: number;
  readonly #clockBase: number;
  #state: State;
  #current: Current;
  /** What the `published` event being written will make current. */
  #next: Current | undefined;
  /** Journal records applied so far. */
  #applied: number;
  #tail: Promise<void> = Promise.resolve();
  #deciding: Promise<void> | undefined;
  /** Events on their way to the journal that may take waiting deltas away. */
  #taking = 0;
  #merging: Promise<void> | undefined;
  /** The merge under way, as who asks for work sees it: over when it is done, or has taken too long. */
  #merge: { readonly began: number; readonly over: Promise<void>; readonly end: () => void } | undefined;
  #rolling: Promise<void> | undefined;
  #retryAt = 0;
  readonly #failures = new MergeFailures();
  #closed = false;
  /** Who waits for its turn; each looks again at every tick. */
  readonly #held: (() => void)[] = [];

  constructor(
    options: RunOptions,
    identity: Identity,
    { founded, state, vectors, file, frames, late, snapshots }: Recovered,
  ) {
    const { store, log, evaluator, clock } = options;
    this.#founded = founded;
    this.#identity = identity;
    this.index = new IndexFeed(store.index, this.#warn("the index cannot be written; it is tried again"));
    this.#options = options;
    this.#listeners = new Listeners(log);
    this.#retention = new Retention(store, founded.settings, snapshots);
    this.#frames = frames;
    this.#recent = new RecentFiles(state.hash, file);
    this.#startedAt = clock();
    this.#clockBase = state.at;
    this.#state = state;
    this.#current = { vectors, file };
    this.#applied = store.length;
    this.#evaluations = evaluator && new Evaluations(evaluator, this.#measured, log);
    if ((state.heldOut.at(-1)?.version ?? -1) < state.version) this.#evaluate(state.version, state.tokens);
    this.#audits = auditsOf(this, options);
    this.#alarm = new Alarm(this, this.#audits, options);
    this.#late = late;
    log.info(
      { run: founded.id, version: state.version, hash: state.hash, tokens: state.tokens },
      "run opened",
    );
  }

  /** What measures deltas; only where audits can clear whom it suspects. */
  get gauge(): Gauge | undefined {
    return this.#audits?.gauge;
  }

  /** Considers a delta that was just accepted for an audit. */
  audit(upload: Upload, delta: Candidate): void {
    if (!this.#closed) this.#audits?.consider(upload, delta);
  }

  /** Has what roll-backs blame audited: after one, and after a start that finds some unanswered. */
  inquire(): void {
    const { store } = this.#options;
    this.#audits?.blame(this.#late.blamed(store, this.founded.rules, this.#weightsAt));
  }

  get founded(): Founded {
    return this.#founded;
  }

  /** Decides by these rules from now on. What was decided before is journaled and stays. */
  tune(settings: Settings, rules: Rules): void {
    this.#founded = { ...this.#founded, settings, rules };
  }

  /** Nobody holds a ticket, and no delta waits to be merged. */
  get drained(): boolean {
    const { soft, pool, closing } = this.#state;
    return soft.leases.size === 0 && pool.length === 0 && closing === undefined;
  }

  /** Versions stored whole, oldest first. */
  get stored(): readonly SnapshotPlace[] {
    return this.#retention.places;
  }

  get state(): State {
    return this.#state;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The current version's published file. */
  get file(): Uint8Array<ArrayBuffer> {
    return this.#current.file;
  }

  /** Milliseconds since this process opened the run. */
  get up(): number {
    return Math.max(0, this.#options.clock() - this.#startedAt);
  }

  /** The run clock: it stands while the server is down and knows no wall clock. Whole milliseconds. */
  now(): number {
    return this.#clockBase + Math.floor(this.up);
  }

  /** The published file of a version that is kept, or undefined. */
  async snapshot(hash: Hash): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return (
      this.#recent.get(hash) ??
      (this.#retention.has(hash) ? readSnapshotFile(this.#options.store, hash) : undefined)
    );
  }

  /** The frame that leads from a version to the next, or undefined where it is not kept. */
  async diff(from: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const known = Number.isSafeInteger(from) && from >= 0 && from < this.#state.version;
    return known ? readDiff(this.#options.store, from) : undefined;
  }

  readonly #weightsAt = (version: number): Promise<Float32Array<ArrayBuffer> | undefined> =>
    oldWeights(this.#options.store, this.founded.task, this.#retention.around(version), version);

  subscribe(listener: (event: RunEvent) => void): () => void {
    return this.#listeners.add(listener);
  }

  /**
   * Appends an event and, once it is durable, applies it. Appends become durable in the order they were made,
   * and the chain applies them in it; so `at` is the run clock at this call. Rejects, with the state unchanged,
   * when the event is not durable.
   */
  record(event: Recordable, frame?: Uint8Array): Promise<void> {
    const append = async () => this.#options.store.append(encodeRecord(event, frame));
    const written = append();
    written.catch(() => {}); // the chain tells it; until the chain comes to it, nobody listens
    const takes = event.type === "audited" || event.type === "state"; // others only add to what a decision knew
    if (takes) this.#taking += 1;
    const applied = this.#tail.then(async () => {
      const sequence = await written.finally(() => {
        if (takes) this.#taking -= 1;
      });
      this.#apply(event, sequence);
    });
    this.#tail = applied.catch(() => {});
    return applied;
  }

  /** Applies a soft event. The effects are the caller's to answer or to {@link perform}. */
  take(event: SoftEvent): readonly Effect[] {
    const { state, effects } = reduce(this.founded.rules, this.#state, event, this.now());
    this.#state = state;
    return effects;
  }

  perform(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.type === "announce") this.#listeners.announce(effect.event);
      else if (effect.type === "evaluate") this.#evaluate(effect.version, effect.tokens);
      else if (effect.type === "record") this.#decide(effect.event);
      else if (effect.type === "merge") this.#publish(effect.closed);
      else if (effect.type === "roll-back") {
        const answered = this.#alarm.rang(effect.to);
        answered.catch((error: unknown) => this.#rest(error, "the run could not be rolled back"));
      }
    }
    const due = this.#retention.due(this.#state.version) && this.#rolling === undefined;
    if (due && !this.#resting()) this.#save();
  }

  /**
   * Waits until a version that is being closed is published, or has failed to be. Who asks for work just after
   * sending would otherwise get the old version every time, and all deltas would be one version late: at the
   * default rates that alone stops the model from learning (docs/LEARNING.md). But not longer than a merge may take
   * without the whole swarm standing still for it.
   */
  async settled(): Promise<void> {
    await this.#deciding;
    await this.#merge?.over;
    await this.#rolling?.catch(() => {}); // whoever asked for it is told
  }

  /** Whether a merge lasts so long that nobody waits for it. */
  get behind(): boolean {
    return this.#merge !== undefined && this.#merge.began + MERGE_WAIT_MS <= this.#options.clock();
  }

  /** Waits for the next version, until a time of the run clock, or until the run rests or who waits need not. */
  async nextVersion(until: number, enough: () => boolean): Promise<void> {
    const { version, phase } = this.#state;
    const same = () => this.#state.version === version && this.#state.phase === phase;
    while (!this.#closed && same() && this.now() < until && !enough()) {
      await new Promise<void>((resolve) => this.#held.push(resolve));
    }
  }

  /**
   * Takes the run back to the weights of `to`, or of the newest version before it that is stored whole. Rejects
   * with a StoreError where none is.
   */
  rollBack(to: number, reason: RolledBack["reason"]): Promise<void> {
    this.#rolling ??= this.#takeBack(to, reason).finally(() => {
      this.#rolling = undefined;
      this.tick();
    });
    return this.#rolling;
  }

  tick(): void {
    if (this.behind) this.#merge?.end();
    if (!this.#closed) this.perform(this.take({ type: "tick" }));
    for (const look of this.#held.splice(0)) look();
  }

  /** Takes nothing more, waits for what is being written, and closes the store. */
  async close(): Promise<void> {
    this.#closed = true;
    this.tick();
    this.#evaluations?.stop();
    this.#audits?.stop();
    await this.#merging;
    await this.#tail;
    await this.#retention.idle();
    await this.#options.store.close();
  }

  #apply(event: Recordable, sequence: number): void {
    const before = this.#state;
    const { state, effects } = reduce(this.founded.rules, before, event, this.now());
    this.#state = state;
    this.#applied = sequence + 1;
    this.#options.observe?.(event);
    this.index.add(factsOf(before, event));
    if (event.type === "accepted") this.#frames.set(event.ticket, sequence);
    for (const { ticket } of endsOf(before, event)) this.#frames.delete(ticket);
    this.#late.add(event, sequence);
    if (event.type === "published" || event.type === "rolled-back") this.#advance(event.hash);
    if (event.type === "rolled-back") {
      this.#retention.rolledBack({ version: event.version, hash: event.hash, needs: this.#applied });
    }
    if (event.type === "rolled-back" && event.reason === "held-out loss") this.inquire();
    this.perform(effects);
  }

  /** The published event is durable: what was merged, or taken back, is current now. */
  #advance(hash: Hash): void {
    if (this.#next === undefined) throw new Error("a version was published that was not merged");
    this.#current = this.#next;
    this.#next = undefined;
    this.#recent.add(hash, this.#current.file);
  }

  readonly #measured = (measured: Measured): void => {
    const kept = this.record({ type: "evaluated", at: this.now(), ...measured });
    kept.catch(this.#warn("an evaluation could not be kept"));
  };

  #evaluate(version: number, tokens: number): void {
    if (!this.#closed) this.#evaluations?.offer({ version, tokens, weights: this.#current.vectors.x });
  }

  /**
   * Journals a decision; while one is being written no other is made. Nor while what takes a delta away is on its way
   * there: a closing that names that delta would stand behind it in the journal and contradict it, for good.
   */
  #decide(event: Recordable): void {
    if (this.#deciding !== undefined || this.#rolling !== undefined || this.#resting()) return;
    if (this.#taking > 0) return;
    this.#deciding = this.record(event)
      .catch((error: unknown) => this.#rest(error, "a decision could not be kept; it is made again"))
      .finally(() => {
        this.#deciding = undefined;
        this.tick();
      });
  }

  /** Merges a closed version and publishes its successor. */
  #publish(closed: Closed): void {
    if (this.#merging !== undefined || this.#rolling !== undefined || this.#resting()) return;
    if (this.#failures.stopped(closed.version, this.#state.phase === "paused")) return;
    const { promise: over, resolve: end } = Promise.withResolvers<void>();
    this.#merge = { began: this.#options.clock(), over, end };
    this.#merging = this.#make(closed)
      .catch((error: unknown) => {
        this.#rest(error, "a version could not be published; it is merged again");
        return this.#failures.add(closed.version, error) ? this.#pause(closed.version) : undefined;
      })
      .finally(() => {
        this.#merging = undefined;
        this.#merge = undefined;
        end();
        this.tick();
      });
  }

  /** A version that cannot be merged stays closed; the run waits for its operator. */
  #pause(version: number): Promise<void> {
    this.#options.log.error({ version }, "a version cannot be merged: the run is paused until it is resumed");
    const paused = this.record({ type: "state", at: this.now(), state: "paused" });
    return paused.catch(this.#warn("the run could not be paused"));
  }

  async #make(closed: Closed): Promise<void> {
    const { store, merger = mergeHere } = this.#options;
    const { merging, task } = this.founded;
    const job = jobOf(store, this.#current.vectors, placesOf(closed, this.#frames), task.lead);
    const { vectors, diff } = await merger.merge(merging(closed.version), job);
    const file = task.encode(vectors.x);
    await saveDiff(store, closed.version, diff);
    this.#next = { vectors, file };
    const version = closed.version + 1;
    const made = { version, model: await hashInPieces(file), diff: await sha256(diff) };
    const sealed = await this.#seal(made);
    await this.record({
      type: "published",
      // Read after the signing: a time older than an event already in the journal sets the run clock back at a restart.
      at: this.now(),
      version,
      hash: made.model,
      diff: made.diff,
      diffBytes: diff.length,
      ...sealed,
    });
  }

  async #takeBack(to: number, reason: RolledBack["reason"]): Promise<void> {
    // Nothing new is decided or merged while this is under way: what already is comes first.
    while (this.#deciding !== undefined || this.#merging !== undefined) {
      await this.#deciding;
      await this.#merging;
    }
    await this.#retention.idle(); // it lets go of snapshots, and no other is stored until this has ended
    // What an alarm found best may have gone since it was found: what is oldest now is nearest to it.
    const place = this.#retention.atMost(to) ?? (reason === "operator" ? undefined : this.stored[0]);
    if (place === undefined) throw new StoreError(`no version up to ${to} is stored whole`);
    const { store } = this.#options;
    const vectors = await loadSnapshot(store, this.founded.task, place.hash);
    const version = this.#state.version + 1;
    await dropDiff(store, version - 1); // of a merge that came to nothing
    this.#next = { vectors, file: this.founded.task.encode(vectors.x) };
    const made = { version, model: place.hash, diff: place.hash, merged: [], backTo: place.version };
    const sealed = await seal(this.#identity, this.founded, { ...made, previous: this.#state.record });
    const about = { version, to: place.version, hash: place.hash, reason };
    await this.record({ type: "rolled-back", at: this.now(), ...about, ...sealed });
    this.#options.log.warn(about, "run rolled back");
  }

  /** Signs the record of the version that is about to be published. */
  #seal(made: { version: number; model: Hash; diff: Hash }): Promise<Seal> {
    const { closing, record } = this.#state;
    return seal(this.#identity, this.founded, { ...made, previous: record, merged: closing?.entries ?? [] });
  }

  #save(): void {
    const { version, hash } = this.#state;
    const needs = Math.min(this.#applied, ...this.#frames.values());
    const { file, vectors } = this.#current;
    const [applied, state] = [this.#applied, this.#state];
    this.#retention
      .save({ version, hash, needs }, file, vectors, {
        applied,
        state,
        frames: new Map(this.#frames),
        late: this.#late.kept,
        asked: this.#late.asked,
      })
      .catch((error: unknown) => this.#rest(error, "a snapshot could not be stored; it is tried again"));
  }

  #resting(): boolean {
    return this.#closed || this.#options.clock() < this.#retryAt;
  }

  #rest(error: unknown, message: string): void {
    this.#retryAt = this.#options.clock() + RETRY_MS;
    this.#options.log.error({ error: String(error) }, message);
  }

  #warn(message: string): (error: unknown) => void {
    return (error) => this.#options.log.warn({ error: String(error) }, message);
  }
}
