import { type ErrorCode, ProtocolError } from "../../protocol/errors.ts";
import type { RunEvent } from "../../protocol/events.ts";
import { frameBytes } from "../../protocol/frame.ts";
import type { Hash, ObjectName, PersonId, TeamId, TicketId, VolunteerKey } from "../../protocol/ids.ts";
import { MAX_ENVELOPE_BYTES } from "../../protocol/limits.ts";
import type { Pace } from "../../protocol/pace.ts";
import type { Receipt } from "../../protocol/receipt.ts";
import type { AuditAnswer, AuditTicket } from "../../protocol/shared-audit.ts";
import type { RunStatus } from "../../protocol/status.ts";
import type { Ticket } from "../../protocol/ticket.ts";
import type { Upload } from "../../protocol/upload.ts";
import type { Store } from "../store/store.ts";
import { medianSize, suspicionOf } from "../trust/weigh.ts";
import { Admin } from "./admin.ts";
import { withKeptCard } from "./card.ts";
import { Completions } from "./completions.ts";
import { Dispatcher } from "./dispatcher.ts";
import { Drain } from "./drain.ts";
import { create, readDefinition } from "./genesis.ts";
import { InboxKeeper } from "./inbox-keeper.ts";
import { entriesBefore } from "./index-entries.ts";
import { Intake } from "./intake.ts";
import { JournalKeeper } from "./journal-keeper.ts";
import { Links } from "./links.ts";
import { LiveRun } from "./live-run.ts";
import type { RunOptions } from "./options.ts";
import { People } from "./people.ts";
import { Reader } from "./reader.ts";
import { recover } from "./recover.ts";
import { type ServerIdentity, serverIdentity } from "./server-key.ts";
import type { RunService } from "./service.ts";
import { Teams } from "./teams.ts";
import { tunedSettings } from "./tuning.ts";
import { type FixedManifest, fixedManifest, type KnownText, statusOf } from "./view.ts";
import { Volunteers } from "./volunteers.ts";
import { WrittenFiles } from "./written-files.ts";

/**
 * Opens the run in a store, beginning it where there is none: reads the journal, rebuilds the model, verifies
 * every hash. Rejects with a StoreError on damage and a SettingsError where `settings` are not the run's.
 */
export async function openRun(options: RunOptions): Promise<Run> {
  const { store, corpus, task, settings } = options;
  const identity = await serverIdentity(store);
  if (store.length === 0) await create(store, identity, corpus, task, settings);
  const { run, live } = await open(options, identity);
  live.quality.inquire();
  live.take();
  run.tick();
  return run;
}

/**
 * Opens a run that another process serves, to be read: {@link Run.follow} brings it up to date. It gives no work out, and
 * its tick is not to be called. Rejects as {@link openRun} does, and where there is none.
 */
export async function openFollowedRun(options: RunOptions): Promise<Run> {
  return (await open(options, await serverIdentity(options.store), [])).run;
}

/** `texts`: what came in since the run began; none for who gives no work out, and so need not have it. */
async function open(
  options: RunOptions,
  identity: ServerIdentity,
  texts?: readonly [],
): Promise<{ run: Run; live: LiveRun }> {
  const { store, corpus, task, settings, log } = options;
  const recovered = await recover(
    store,
    (created) => readDefinition(created, identity, corpus, task, settings),
    log,
    options.observe,
    options,
  );
  const fixed = await fixedManifest(recovered.definition, corpus, identity, options.mirror?.url);
  const live = new LiveRun(options, identity, recovered);
  const tuned = await withKeptCard(store, await tunedSettings(store, recovered.definition.settings));
  live.tune(tuned, texts);
  const bytesPerToken = await options.bytesPerToken?.(tuned).catch((error: unknown) => {
    log.warn({ error: String(error) }, "the bytes of the held-out text could not be counted");
  });
  const parts = {
    fixed,
    bytesPerToken: bytesPerToken ?? null,
    ...(await openPeople(store)),
    drain: await Drain.open(store),
    completions: await Completions.open(store, live, options.evaluator),
  };
  return { run: new Run(options, live, identity, parts), live };
}

async function openPeople(store: Store): Promise<Pick<RunParts, "people" | "links" | "teams">> {
  const files = new WrittenFiles(store);
  const people = await People.open(store, undefined, files);
  const forgotten = (volunteer: VolunteerKey) => people.isForgotten(volunteer);
  const links = await Links.open(store, files, forgotten);
  return { people, links, teams: await Teams.open(store, files, forgotten) };
}

interface RunParts {
  readonly fixed: FixedManifest;
  readonly bytesPerToken: number | null;
  readonly people: People;
  readonly links: Links;
  readonly teams: Teams;
  readonly drain: Drain;
  readonly completions: Completions;
}

/** A run as the routes and the operator see it: each of its parts answers for what it holds. */
export class Run implements RunService {
  readonly maxUploadBytes: number;
  readonly admin: Admin;
  readonly completions: Completions;
  readonly volunteers: Volunteers;
  readonly #options: RunOptions;
  readonly #live: LiveRun;
  readonly #fixed: FixedManifest;
  readonly #known: KnownText;
  readonly #reader: Reader;
  readonly #dispatcher: Dispatcher;
  readonly #intake: Intake;

  constructor(options: RunOptions, live: LiveRun, identity: ServerIdentity, parts: RunParts) {
    const { fixed, bytesPerToken, people, links, teams, drain } = parts;
    this.#options = options;
    this.#live = live;
    this.#fixed = fixed;
    this.#known = {
      baselines: options.corpus.baselines,
      bytesPerToken,
      questions: options.questions ?? null,
    };
    this.#reader = new Reader(live, fixed, identity, options);
    const { inbox } = options.store;
    const keeper =
      inbox === undefined
        ? new JournalKeeper({ run: live })
        : new InboxKeeper(inbox, live.definition.rules.context, live.index);
    this.#intake = new Intake({
      ...{ run: live, identity, clock: options.runClock ?? live.clock, keep: keeper.keep },
      entriesBefore: (before) => entriesBefore(options.store, live.definition.rules, before),
    });
    this.completions = parts.completions;
    this.admin = new Admin(live, drain, options);
    this.volunteers = new Volunteers(live, people, links, teams);
    const draining = () => this.admin.draining;
    this.#dispatcher = new Dispatcher({ run: live, identity, random: options.random, draining });
    this.maxUploadBytes = 4 + MAX_ENVELOPE_BYTES + frameBytes(fixed.delta, fixed.parameters);
  }

  manifest = () => this.#reader.manifest();
  status = (): RunStatus => statusOf(this.#fixed, this.#known, this.#live, this.volunteers.refusedByCode);
  tokenizer = () => this.#options.corpus.tokenizer;
  latestSnapshot = () => this.#reader.latestSnapshot();
  snapshot = (hash: Hash) => this.#reader.snapshot(hash);
  diff = (version: number, hash?: Hash) => this.#reader.diff(version, hash);
  shard = (hash: Hash) => this.#options.corpus.shard(hash);
  chunks = (object: ObjectName) => this.#reader.chunks(object);
  /** An object by its name. Throws `not-found`. */
  object = (name: ObjectName) => this.#reader.object(name);
  /** The signed list of these bytes' chunks, also of an object that is not served yet. */
  sign = (...object: Parameters<Reader["sign"]>) => this.#reader.sign(...object);
  versionRecord = (version: number) => this.#reader.versionRecord(version);
  proof = (ticket: TicketId) => this.#reader.proof(ticket);
  credit = (volunteer: VolunteerKey) => this.volunteers.credit(volunteer);
  leaders = () => this.volunteers.leaders();
  rename = (volunteer: VolunteerKey, name: unknown) => this.volunteers.rename(volunteer, name);
  link = (volunteer: VolunteerKey, other: VolunteerKey | null) => this.volunteers.link(volunteer, other);
  person = (id: PersonId) => this.volunteers.person(id);
  setPage = (volunteer: VolunteerKey, wanted: boolean, drawn: PersonId) =>
    this.volunteers.setPage(volunteer, wanted, drawn);
  pageOf = (volunteer: VolunteerKey) => this.volunteers.pageOf(volunteer);
  joinTeam = (volunteer: VolunteerKey, name: unknown, drawn: TeamId) =>
    this.volunteers.joinTeam(volunteer, name, drawn);
  teams = () => this.volunteers.teams();
  team = (id: TeamId) => this.volunteers.team(id);
  dataOf = (volunteer: VolunteerKey) => this.volunteers.dataOf(volunteer);
  forget = (volunteer: VolunteerKey) => this.volunteers.forget(volunteer);
  countRefusal = (code: ErrorCode) => this.volunteers.countRefusal(code);
  subscribe = (listener: (event: RunEvent) => void) => this.#live.listeners.add(listener);

  ticket(
    volunteer: VolunteerKey,
    _nonce: TicketId,
    pace: Pace = {},
    gone: () => boolean = () => false,
  ): Promise<Ticket> {
    return this.#dispatcher.ticket(volunteer, pace, gone);
  }

  async audit(volunteer: VolunteerKey, from?: string): Promise<AuditTicket | undefined> {
    const running = this.#live.state.phase === "running" && !this.admin.draining && !this.#live.closed;
    return running ? this.#live.quality.volunteers?.claim(volunteer, from) : undefined;
  }

  auditedDelta(frame: Hash): Uint8Array<ArrayBuffer> {
    const found = this.#live.quality.volunteers?.frame(frame);
    if (found === undefined) throw new ProtocolError("not-found", "there is no such audit (any more)");
    return found;
  }

  answerAudit(volunteer: VolunteerKey, answer: AuditAnswer): void {
    const { volunteers } = this.#live.quality;
    if (volunteers === undefined) throw new ProtocolError("audit-over", "volunteers audit nothing here");
    volunteers.answer(volunteer, answer);
  }

  async accept(volunteer: VolunteerKey, nonce: TicketId, upload: Upload, from?: string): Promise<Receipt> {
    try {
      return await this.#intake.accept({ volunteer, nonce }, upload, from);
    } catch (error) {
      const code = error instanceof ProtocolError ? error.code : "internal-error";
      this.volunteers.countRefusal(code, volunteer, from);
      throw error;
    }
  }

  /**
   * Milliseconds on the run clock for which the oldest delta has waited for its version that is no suspect (those wait
   * for audits, and strangers can make them); since the newest version where one is being made; 0 where nothing waits.
   */
  get waitedMs(): number {
    const { closing, pool, publishedAt, trust } = this.#live.state;
    const median = medianSize(pool, trust);
    const oldest = pool.find((delta) => suspicionOf(delta, median) === undefined);
    if (oldest === undefined && closing === undefined) return 0;
    return this.#live.clock.now() - Math.max(publishedAt, closing === undefined ? (oldest?.at ?? 0) : 0);
  }

  /** The run clock, ms. */
  get now(): number {
    return this.#live.clock.now();
  }

  /** Versions whose diffs are kept. */
  get keepDiffs(): number {
    return this.#live.definition.settings.keepDiffs;
  }

  /** Aborts when another server has taken the run over; this one then takes and keeps nothing more. */
  get deposed(): AbortSignal {
    return this.#options.store.deposed;
  }

  /** Lets time act: leases expire, deadlines come, failed writes are tried again. Call it a few times a second. */
  tick(): void {
    this.#live.tick();
    this.admin.tick();
  }

  /** Of a run that another process serves: learns of what it has recorded. See {@link LiveRun.follow}. */
  follow(): Promise<void> {
    return this.#live.follow();
  }

  /** Of such a run: see {@link LiveRun.known}. */
  known(): ReturnType<LiveRun["known"]> {
    return this.#live.known();
  }

  /** Stops taking work, waits for what is being written, and closes the store. */
  close(): Promise<void> {
    return this.#live.close();
  }
}
