import { toBase64Url } from "../../protocol/bytes.ts";
import type { ChunkList } from "../../protocol/chunks.ts";
import { type ErrorCode, ProtocolError } from "../../protocol/errors.ts";
import type { RunEvent } from "../../protocol/events.ts";
import { frameBytes } from "../../protocol/frame.ts";
import { as } from "../../protocol/guards.ts";
import type { DeltaProof, VersionRecord } from "../../protocol/history.ts";
import {
  type Hash,
  isHash,
  isTicketId,
  type ObjectName,
  type TicketId,
  type VolunteerKey,
} from "../../protocol/ids.ts";
import { MAX_ENVELOPE_BYTES } from "../../protocol/limits.ts";
import type { Manifest, RunState } from "../../protocol/manifest.ts";
import type { Tuning } from "../../protocol/operator.ts";
import type { Pace } from "../../protocol/pace.ts";
import type { Leader, PersonalData } from "../../protocol/people.ts";
import type { Receipt } from "../../protocol/receipt.ts";
import type { RunStatus, VolunteerCredit } from "../../protocol/status.ts";
import { signTicket, type Ticket } from "../../protocol/ticket.ts";
import type { Upload } from "../../protocol/upload.ts";
import { PAUSED_RETRY_MS } from "../coordinator/rules.ts";
import { HOUR_MS } from "../store/store.ts";
import { standingOf } from "../trust/standing.ts";
import { medianSize, suspicionOf } from "../trust/weigh.ts";
import { ChunkLists } from "./chunk-lists.ts";
import { Core } from "./core.ts";
import { Drain } from "./drain.ts";
import { create, found, rulesOf } from "./genesis.ts";
import { readProof, readRecord } from "./history.ts";
import { Intake } from "./intake.ts";
import type { RunOptions } from "./options.ts";
import { People } from "./people.ts";
import { recover } from "./recover.ts";
import { Refusals } from "./refusals.ts";
import { type Known, rosterOf } from "./roster.ts";
import { type ServerIdentity, serverIdentity } from "./server-key.ts";
import type { RunService } from "./service.ts";
import { tune, tunedSettings, tuningOf } from "./tuning.ts";
import { type FixedManifest, fixedManifest, statusOf } from "./view.ts";

/** Bytes of a ticket's nonce. */
const NONCE_BYTES = 16;

/** Credit is recent for a day of the run clock. */
const RECENT_MS = 24 * HOUR_MS;
/** Deltas listed in what a volunteer is told about itself. */
const MAX_DELTAS_TOLD = 1_000;

const REFUSALS = {
  "run-paused": "the operator has paused the run",
  "run-finished": "the run is finished",
  "no-work": "there is no text to hand out just now",
  quarantined: "a delta of this volunteer was found bad; nothing is taken from it for a while",
  banned: "the operator has banned this volunteer",
} as const;

/**
 * Opens the run in a store, beginning it where there is none: reads the journal, rebuilds the model, verifies
 * every hash. Rejects with a StoreError on damage and a SettingsError where `settings` are not the run's.
 */
export async function openRun(options: RunOptions): Promise<Run> {
  const { store, corpus, task, settings, log } = options;
  const identity = await serverIdentity(store);
  if (store.length === 0) await create(store, identity, corpus, task, settings);
  const recovered = await recover(
    store,
    (created) => found(created, identity, corpus, task, settings),
    log,
    options.observe,
  );
  const fixed = await fixedManifest(recovered.founded, corpus, identity);
  const core = new Core(options, identity, recovered);
  const tuned = await tunedSettings(store, recovered.founded.settings);
  core.tune(tuned, rulesOf(recovered.founded.id, tuned, corpus, recovered.founded.task.parameters));
  const run = new Run(options, core, identity, fixed, await People.open(store), await Drain.open(store));
  core.inquire();
  run.tick();
  return run;
}

/** A run as the routes see it. */
export class Run implements RunService {
  readonly maxUploadBytes: number;
  readonly #options: RunOptions;
  readonly #core: Core;
  readonly #identity: ServerIdentity;
  readonly #fixed: FixedManifest;
  readonly #intake: Intake;
  readonly #refusals = new Refusals();
  readonly #chunkLists: ChunkLists;
  readonly #people: People;
  readonly #drain: Drain;
  /** Who remembers in memory what a volunteer came with, so that it can be told to them, and forgotten. */
  witness:
    | {
        seen(volunteer: VolunteerKey): Readonly<Record<string, string>> | undefined;
        forget(volunteer: VolunteerKey): void;
      }
    | undefined;

  constructor(
    options: RunOptions,
    core: Core,
    identity: ServerIdentity,
    fixed: FixedManifest,
    people: People,
    drain: Drain,
  ) {
    this.#options = options;
    this.#core = core;
    this.#identity = identity;
    this.#fixed = fixed;
    this.#people = people;
    this.#drain = drain;
    this.#intake = new Intake(core, identity, options.store);
    this.#chunkLists = new ChunkLists(fixed.run, identity);
    this.maxUploadBytes = 4 + MAX_ENVELOPE_BYTES + frameBytes(fixed.delta, fixed.parameters);
  }

  manifest(): Manifest {
    const { phase, version, hash } = this.#core.state;
    return { ...this.#fixed, state: phase, version, hash };
  }

  status(): RunStatus {
    const refused = this.#refusals.byCode();
    return statusOf(this.#fixed, this.#options.corpus, this.#core, refused);
  }

  tokenizer(): Uint8Array<ArrayBuffer> {
    return this.#options.corpus.tokenizer;
  }

  latestSnapshot(): { readonly hash: Hash; readonly bytes: Uint8Array<ArrayBuffer> } {
    return { hash: this.#core.state.hash, bytes: this.#core.file };
  }

  async snapshot(hash: Hash): Promise<Uint8Array<ArrayBuffer>> {
    return (await this.#core.snapshot(hash)) ?? notFound("snapshot");
  }

  async diff(version: number): Promise<Uint8Array<ArrayBuffer>> {
    return (await this.#core.diff(version)) ?? notFound("diff");
  }

  shard(hash: Hash): Promise<Uint8Array<ArrayBuffer>> {
    return this.#options.corpus.shard(hash);
  }

  chunks(object: ObjectName): Promise<ChunkList> {
    return this.#chunkLists.of(object, () => this.#object(object));
  }

  credit(volunteer: VolunteerKey): VolunteerCredit {
    if (this.#people.isForgotten(volunteer))
      return { tokens: 0, recent: 0, merged: 0, pending: 0, refused: 0 };
    const since = this.#core.now() - RECENT_MS;
    const { tokens, recent, merged, pending, discarded } = this.#core.index.credit(volunteer, since);
    return { tokens, recent, merged, pending, refused: discarded + this.#refusals.of(volunteer) };
  }

  leaders(): readonly Leader[] {
    const banned = (volunteer: VolunteerKey) => standingOf(this.#core.state.trust, volunteer).banned;
    return this.#people.leaders(this.#core.now(), (volunteer) => this.credit(volunteer), banned);
  }

  async rename(volunteer: VolunteerKey, name: unknown): Promise<string | undefined> {
    if (name !== null) {
      if (standingOf(this.#core.state.trust, volunteer).banned) {
        throw new ProtocolError("banned", REFUSALS.banned);
      }
      if (this.credit(volunteer).tokens === 0) {
        throw new ProtocolError("bad-request", "a name is for those whose work is in the model");
      }
    }
    return this.#people.rename(volunteer, name);
  }

  dataOf(volunteer: VolunteerKey): PersonalData {
    return {
      volunteer,
      name: this.#people.nameOf(volunteer) ?? null,
      credit: this.credit(volunteer),
      deltas: this.#core.index
        .deltasOf(volunteer, MAX_DELTAS_TOLD)
        .map(({ volunteer: _, merged, audit, ...delta }) => ({
          ...delta,
          ...(merged !== undefined && { merged }),
          ...(audit !== undefined && { audit }),
        })),
      seen: this.witness?.seen(volunteer) ?? null,
      notes: [
        `Listed are your newest ${MAX_DELTAS_TOLD} deltas at most.`,
        "The journal also holds each delta's loss, training time and kind of device, and until it is merged its numbers.",
        "Signed records of versions name your key, tickets, delta hashes and weights. They are public, and stay.",
        "Your internet address is kept nowhere. A delta may carry a name for its network, made with a key that is lost at each restart.",
      ],
    };
  }

  async forget(volunteer: VolunteerKey): Promise<void> {
    const { merged, pending, discarded } = this.#core.index.credit(volunteer, 0);
    // Who never sent anything has left nothing that would come back.
    if (merged + pending + discarded > 0) await this.#people.forget(volunteer);
    this.#refusals.forget(volunteer);
    this.witness?.forget(volunteer);
  }

  versionRecord(version: number): Promise<VersionRecord> {
    return readRecord(this.#options.store, this.#core.index, this.#core.founded, version);
  }

  proof(ticket: TicketId): Promise<DeltaProof> {
    return readProof(this.#options.store, this.#core.index, this.#core.founded, ticket);
  }

  /** Whom an operator may want to rule on: who was seen lately, newest first, and whom the run had trouble with. */
  roster(seenLately: readonly VolunteerKey[]): readonly Known[] {
    const parts = {
      trust: this.#core.state.trust,
      now: this.#core.now(),
      refusedLately: (most: number) => this.#refusals.lately(most),
      reasonsOf: (volunteer: VolunteerKey) => this.#refusals.reasonsOf(volunteer),
      nameOf: (volunteer: VolunteerKey) => this.#people.nameOf(volunteer),
      creditOf: (volunteer: VolunteerKey) => this.credit(volunteer),
    };
    return rosterOf(parts, seenLately);
  }

  /** What an operator may change now. */
  get tuning(): Tuning {
    return tuningOf(this.#core.founded.settings);
  }

  /** Versions stored whole, newest first. */
  get snapshots(): readonly number[] {
    return this.#core.stored.map(({ version }) => version).reverse();
  }

  /**
   * Milliseconds on the run clock for which the oldest delta has waited for its version that is no suspect (those wait
   * for audits, and strangers can make them); since the newest version where one is being made; 0 where nothing waits.
   */
  get waitedMs(): number {
    const { closing, pool, publishedAt, trust } = this.#core.state;
    const median = medianSize(pool, trust);
    const oldest = pool.find((delta) => suspicionOf(delta, median) === undefined);
    if (oldest === undefined && closing === undefined) return 0;
    return this.#core.now() - Math.max(publishedAt, closing === undefined ? (oldest?.at ?? 0) : 0);
  }

  /** How often known senders were refused since the last call, by sender. */
  refusedOfKnown(): ReadonlyMap<string, number> {
    return this.#refusals.look();
  }

  /** Deltas refused since the server started. */
  get refused(): number {
    return this.#refusals.total;
  }

  get draining(): boolean {
    return this.#drain.on && this.#core.state.phase === "running";
  }

  async ticket(
    volunteer: VolunteerKey,
    _nonce: TicketId,
    pace: Pace = {},
    gone: () => boolean = () => false,
  ): Promise<Ticket> {
    const ticket = as(isTicketId, toBase64Url(this.#options.random(NONCE_BYTES)), "ticket");
    const since = this.#core.now();
    for (;;) {
      if (this.draining || this.#core.closed) {
        throw new ProtocolError("run-paused", REFUSALS["run-paused"], PAUSED_RETRY_MS);
      }
      await this.#core.settled();
      if (gone()) throw new ProtocolError("bad-request", "who asked for work has left");
      const asked = this.#core.behind ? Number.NEGATIVE_INFINITY : since;
      const [effect] = this.#core.take({ type: "asked", volunteer, ticket, pace, since: asked });
      if (effect?.type === "lease") return signTicket(this.#identity.signer, effect.terms);
      if (effect?.type === "refuse") {
        throw new ProtocolError(effect.code, REFUSALS[effect.code], effect.retryAfterMs);
      }
      if (effect?.type !== "hold")
        throw new ProtocolError("internal-error", "a request for work went unanswered");
      await this.#core.nextVersion(effect.until, () => this.draining || gone());
    }
  }

  async accept(volunteer: VolunteerKey, nonce: TicketId, upload: Upload, from?: string): Promise<Receipt> {
    try {
      return await this.#intake.accept({ volunteer, nonce }, upload, from);
    } catch (error) {
      this.#refusals.count(error instanceof ProtocolError ? error.code : "internal-error", volunteer);
      if (standingOf(this.#core.state.trust, volunteer).merged > 0)
        this.#refusals.countOfKnown(from ?? volunteer);
      throw error;
    }
  }

  countRefusal(code: ErrorCode): void {
    this.#refusals.count(code);
  }

  subscribe(listener: (event: RunEvent) => void): () => void {
    return this.#core.subscribe(listener);
  }

  /** Lets time act: leases expire, deadlines come, failed writes are tried again. Call it a few times a second. */
  tick(): void {
    this.#core.tick();
    if (this.draining && this.#core.drained) void this.pause().catch(() => {}); // the next tick tries again
  }

  /** Keeps everything and gives no work out. A finished run stays finished. */
  async pause(): Promise<void> {
    await this.#change("paused");
    await this.#drain.set(false);
  }

  async resume(): Promise<void> {
    await this.#drain.set(false);
    await this.#change("running");
  }

  /** Gives no ticket any more, and pauses once every one that is out has come back or expired; a restart knows it. */
  async drain(): Promise<void> {
    if (this.#core.state.phase === "running") await this.#drain.set(true);
  }

  /** Ends the run for good: deltas that wait are discarded, visibly. */
  finish(): Promise<void> {
    return this.#change("finished");
  }

  /**
   * Publishes a new version with the weights of an earlier one, which must be among {@link Run.snapshots}.
   * Whatever waits is discarded. Rejects with `not-found` for another version.
   */
  async rollback(version: number): Promise<void> {
    if (!this.snapshots.includes(version)) notFound("stored version");
    await this.#core.rollBack(version, "operator");
  }

  /** Takes nothing more of a volunteer. */
  ban(volunteer: VolunteerKey): Promise<void> {
    return this.#core.record({ type: "ruled", at: this.#core.now(), volunteer, ruling: "banned" });
  }

  /** Takes a volunteer back, as a newcomer. */
  forgive(volunteer: VolunteerKey): Promise<void> {
    return this.#core.record({ type: "ruled", at: this.#core.now(), volunteer, ruling: "forgiven" });
  }

  /** Changes settings from now on, durably. Throws a SettingsError. */
  async tune(changes: Partial<Tuning>): Promise<void> {
    const { id, settings, task } = this.#core.founded;
    const tuned = await tune(this.#options.store, settings, changes);
    this.#core.tune(tuned, rulesOf(id, tuned, this.#options.corpus, task.parameters));
  }

  /** Stops taking work, waits for what is being written, and closes the store. */
  close(): Promise<void> {
    return this.#core.close();
  }

  async #object(object: ObjectName): Promise<Uint8Array<ArrayBuffer>> {
    const [kind, name] = object.split("/");
    if (kind === "diffs") return this.diff(Number(name));
    if (!isHash(name)) return notFound("object");
    return kind === "snapshots" ? this.snapshot(name) : this.shard(name);
  }

  async #change(state: RunState): Promise<void> {
    const { phase } = this.#core.state;
    if (phase === state || phase === "finished") return;
    await this.#core.record({ type: "state", at: this.#core.now(), state });
  }
}

function notFound(what: string): never {
  throw new ProtocolError("not-found", `there is no such ${what} (any more)`);
}
