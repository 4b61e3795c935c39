import { utf8 } from "../../protocol/bytes.ts";
import type { CodecSpec } from "../../protocol/codec/codec.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { sha256 } from "../../protocol/identity.ts";
import type { Hash, RunId, Signature, TicketId, VolunteerKey } from "../../protocol/ids.ts";
import type { Pace } from "../../protocol/pace.ts";
import type { Ticket } from "../../protocol/ticket.ts";
import { type Upload, uploadTokens } from "../../protocol/upload.ts";
import type { Audited, Closed, DurableEvent, Effect } from "../../server/coordinator/events.ts";
import { reduce } from "../../server/coordinator/reduce.ts";
import { MAX_POOL, type Rules } from "../../server/coordinator/rules.ts";
import { begin, type State } from "../../server/coordinator/state.ts";
import { initialVectors, type Vectors } from "../../server/merge/vectors.ts";
import { askedOf } from "../../server/run/acknowledged.ts";
import { judge } from "../../server/run/admission.ts";
import { rulesOf } from "../../server/run/genesis.ts";
import { languageTask } from "../../server/run/language-task.ts";
import { deltaCodec, type Merging, mergeRule } from "../../server/run/merge-rule.ts";
import type { Settings } from "../../server/run/settings.ts";
import { RULES, type WeighingRule } from "../../server/trust/weigh.ts";
import { merge } from "../../test/harness/merge-once.ts";
import type { VirtualClock } from "./clock.ts";
import type { BenchCorpus } from "./corpus.ts";

/** What journaling and merging a version take on a small server. */
const MERGE_MS = 50;
/** The server looks at its deadlines so often, as the product's does. */
const TICK_MS = 50;
/** Versions whose weights are kept for who still trains on them: the slowest of a crowd may be many behind. */
const KEEP_WEIGHTS = 64;

const NO_HASH = "0".repeat(64) as Hash;
const RUN = "0".repeat(64) as RunId;
/** As long as a real one. */
const SIGNATURE = "s".repeat(86) as Signature;

/** A published version. */
interface Published {
  readonly hash: Hash;
  readonly x: Float32Array<ArrayBuffer>;
}

/**
 * The run's server without sockets, files and signatures: the product's reducer decides, its checks refuse and
 * its merge makes the versions, each when the virtual clock says so.
 */
export class Service {
  readonly settings: Settings;
  readonly parameters: number;
  readonly delta: CodecSpec;
  /** Bytes of a snapshot. */
  readonly snapshotBytes: number;
  /** Merged deltas by their staleness. */
  readonly staleness: number[] = [];
  readonly refused: Record<string, number> = {};
  /** Called with every version as it is published. */
  onVersion: (state: State, x: Float32Array<ArrayBuffer>) => void | Promise<void> = () => {};
  /** Called with every delta that is about to be accepted. */
  onAccepted: (upload: Upload) => void = () => {};
  readonly #clock: VirtualClock;
  readonly #rules: Rules;
  readonly #merging: Merging;
  readonly #encode: (x: Float32Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;
  readonly #frames = new Map<TicketId, Uint8Array<ArrayBuffer>>();
  readonly #published = new Map<number, Published>();
  /** Bytes of the diff that leads from each version to the next. */
  readonly #diffBytes: number[] = [];
  #state: State;
  #vectors: Vectors;
  #tickets = 0;
  /** Who waits for the version being closed, or for a later one. */
  #waiting: { readonly version: number; readonly then: () => void }[] = [];
  #busy = false;

  /** `weigh`: how deltas are weighed; absent: nobody audits here, and all are honest, and count as they are. */
  static async open(
    clock: VirtualClock,
    settings: Settings,
    corpus: BenchCorpus,
    weigh: WeighingRule = RULES.mean,
  ): Promise<Service> {
    const task = languageTask(settings, corpus.vocabulary);
    const vectors = initialVectors(task.initial(settings.seed));
    const file = task.encode(vectors.x);
    const merging = await mergeRule(settings, task);
    return new Service(
      clock,
      settings,
      corpus,
      task.encode,
      merging,
      vectors,
      file.length,
      await sha256(file),
      weigh,
    );
  }

  private constructor(
    clock: VirtualClock,
    settings: Settings,
    corpus: BenchCorpus,
    encode: (x: Float32Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>,
    merging: Merging,
    vectors: Vectors,
    snapshotBytes: number,
    hash: Hash,
    weigh: WeighingRule,
  ) {
    this.#merging = merging;
    this.delta = deltaCodec(settings, vectors.x.length);
    this.settings = settings;
    this.parameters = vectors.x.length;
    this.snapshotBytes = snapshotBytes;
    this.#clock = clock;
    this.#encode = encode;
    this.#vectors = vectors;
    this.#rules = { ...rulesOf(RUN, settings, corpus, vectors.x.length), weigh };
    this.#published.set(0, { hash, x: vectors.x });
    this.#state = begin({ type: "created", at: 0, hash, genesis: {} });
    this.#tick();
  }

  get state(): State {
    return this.#state;
  }

  get finished(): boolean {
    return this.#state.phase === "finished";
  }

  weights(version: number): Float32Array<ArrayBuffer> {
    const published = this.#published.get(version);
    if (published === undefined) throw new Error(`the weights of version ${version} are gone`);
    return published.x;
  }

  /** Bytes of the newest diff; of a snapshot before there is one. */
  get diffBytes(): number {
    return this.#diffBytes.at(-1) ?? this.snapshotBytes;
  }

  /** Bytes that bring a replica from one version to another: the chain of diffs, or a snapshot where that is less. */
  bytesBetween(from: number | undefined, to: number): number {
    if (from === undefined) return this.snapshotBytes;
    const chain = this.#diffBytes.slice(from, to).reduce((sum, bytes) => sum + bytes, 0);
    return Math.min(chain, this.snapshotBytes);
  }

  /** Gives a volunteer its next ticket, when its turn has come as in the product (Run.ticket). */
  ask(volunteer: VolunteerKey, pace: Pace, answer: (ticket: Ticket) => void, since = this.#now): void {
    if (this.finished) return;
    const again = () => this.ask(volunteer, pace, answer, since);
    if (this.#busy) {
      this.whenVersion(this.#state.version + 1, again);
      return;
    }
    const ticket = `${this.#tickets++}`.padStart(22, "0") as TicketId;
    const { state, effects } = reduce(
      this.#rules,
      this.#state,
      { type: "asked", volunteer, ticket, pace, since },
      this.#now,
    );
    this.#state = state;
    for (const effect of effects) {
      if (effect.type === "lease") answer({ ...effect.terms, signature: SIGNATURE });
      if (effect.type !== "hold") continue;
      let waits = true;
      const once = () => {
        if (waits) again();
        waits = false;
      };
      this.whenVersion(this.#state.version + 1, once);
      this.#clock.after(effect.until - this.#now, once);
    }
  }

  /** Takes a delta, or says by which code it is refused. */
  upload(upload: Upload): "taken" | ProtocolError {
    const { ticket, report, frame } = upload;
    const state = this.#state;
    let norm: number;
    try {
      norm = judge(upload, {
        version: state.version,
        now: this.#now,
        finished: this.finished,
        waiting: state.pool.length,
        maxWaiting: MAX_POOL,
        parameters: this.parameters,
        weightDecay: this.settings.optimizer.weightDecay,
        delta: this.delta,
      });
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.refused[error.code] = (this.refused[error.code] ?? 0) + 1;
      return error;
    }
    this.onAccepted(upload);
    this.#frames.set(ticket.id, frame);
    this.#apply({
      type: "accepted",
      at: this.#now,
      ticket: ticket.id,
      volunteer: ticket.volunteer,
      delta: NO_HASH,
      version: ticket.version,
      tokens: uploadTokens(upload, this.#rules.context),
      position: this.#rules.ranges.positionOf(ticket.seed),
      took: this.#now - ticket.issued,
      report,
      ...askedOf(ticket, norm),
    });
    return "taken";
  }

  /** What came of an audit. */
  tell(audited: Omit<Audited, "at">): void {
    this.#apply({ ...audited, at: this.#now });
  }

  /** Calls back once `version` is published. */
  whenVersion(version: number, then: () => void): void {
    if (this.#state.version >= version) then();
    else this.#waiting.push({ version, then });
  }

  get #now(): number {
    return Math.floor(this.#clock.now);
  }

  #tick(): void {
    if (this.finished) return;
    const { state, effects } = reduce(this.#rules, this.#state, { type: "tick" }, this.#now);
    this.#state = state;
    this.#perform(effects);
    this.#clock.after(TICK_MS, () => this.#tick());
  }

  #apply(event: Exclude<DurableEvent, { type: "created" }>): void {
    const { state, effects } = reduce(this.#rules, this.#state, event, this.#now);
    this.#state = state;
    this.#perform(effects);
  }

  #perform(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.type === "record") this.#apply(effect.event);
      else if (effect.type === "merge" && !this.#busy) {
        this.#busy = true;
        this.#clock.after(MERGE_MS, () => this.#publish(effect.closed));
      }
    }
  }

  async #publish(closed: Closed): Promise<void> {
    const frames = closed.merged.map(({ ticket, weight }) => ({ frame: this.#frames.get(ticket)!, weight }));
    const from = new Map(this.#state.used);
    for (const { ticket } of closed.merged) {
      this.#frames.delete(ticket);
      const age = closed.version - (from.get(ticket) ?? closed.version);
      this.staleness[age] = (this.staleness[age] ?? 0) + 1;
    }
    const { vectors, diff, norm } = merge(this.#vectors, frames, this.#merging(closed));
    this.#vectors = vectors;
    this.#diffBytes.push(diff.length);
    const version = closed.version + 1;
    const hash = await sha256(this.#encode(vectors.x));
    this.#published.set(version, { hash, x: vectors.x });
    this.#published.delete(version - KEEP_WEIGHTS);
    this.#busy = false;
    this.#apply({
      type: "published",
      at: this.#now,
      version,
      hash,
      diff: await sha256(diff),
      diffBytes: diff.length,
      norm,
      record: NO_HASH,
      signature: SIGNATURE,
    });
    await this.onVersion(this.#state, vectors.x);
    const due = this.#waiting.filter((waiter) => waiter.version <= version);
    this.#waiting = this.#waiting.filter((waiter) => waiter.version > version);
    for (const { then } of due) then();
  }
}

/** Bytes of a ticket's answer. */
export const ticketBytes = (ticket: Ticket): number => utf8(JSON.stringify({ ticket })).length;
