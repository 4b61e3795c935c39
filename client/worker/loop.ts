import { ModelError } from "../../model/contract/config.ts";
import type { Tokenizer } from "../../model/data/tokenizer.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { codecOf } from "../../protocol/frame.ts";
import type { Identity } from "../../protocol/identity.ts";
import type { Manifest } from "../../protocol/manifest.ts";
import { type Ticket, verifyTicket } from "../../protocol/ticket.ts";
import type { Cache } from "../cache/cache.ts";
import { WrongBytes } from "../transport/away.ts";
import { Stopped } from "./control.ts";
import type { Progress, RoundDeps } from "./deps.ts";
import { NoDevice, type Trainers } from "./device/trainers.ts";
import { EventSubscription } from "./event-subscription.ts";
import { LocalState } from "./local-state.ts";
import type { Phase, UnableReason } from "./messages.ts";
import { type ModelFile, Replica } from "./replica.ts";
import { resumeUpload } from "./resume-upload.ts";
import { RetryPolicy } from "./retry-policy.ts";
import { prepare, refusedAtHome, train, type Work } from "./round.ts";
import { Throughput } from "./throughput.ts";
import { UploadInFlight } from "./upload-in-flight.ts";

/** What the loop needs of the world. */
export interface LoopDeps
  extends Pick<RoundDeps, "api" | "control" | "report" | "inspection" | "clock" | "sleep" | "random"> {
  /** Hears of every version that the replica is brought to. */
  readonly moved?: (replica: Replica) => void;
  /** Opens what belongs to one run, once its manifest is known. */
  readonly open: (manifest: Manifest) => Promise<RunParts>;
}

export interface RunParts {
  readonly cache: Cache;
  readonly identity: Identity;
  readonly file: ModelFile;
  readonly trainers: Trainers;
  readonly loadTokenizer: (json: Uint8Array) => Promise<Tokenizer>;
}

/** Why the loop ended; its last phase has told the visitor. */
export type LoopEnd = "finished" | "stopped" | "unable";

/** Replica, moments and residual are written to disk this often, and at the end. */
const SAVE_EVERY_MS = 20_000;
/** A visitor's credit is asked for this often at most. */
const CREDIT_EVERY_MS = 5_000;
/** Download progress is told this often at most. */
const PROGRESS_EVERY_MS = 100;
/** Tickets in a row that may fail on data no device can take, before the loop gives up. */
const MAX_FAILURES = 4;

/**
 * A volunteer's work from its first request to its last: joins the run, takes ticket after ticket, waits out
 * a server that is away, and starts over when another run has taken the server's place. Never rejects: every
 * end is a phase.
 */
export async function volunteer(deps: LoopDeps): Promise<LoopEnd> {
  const { control } = deps;
  try {
    for (;;) await joinRun(deps);
  } catch (error) {
    if (error instanceof Stopped) {
      control.enter({ phase: "stopped" });
      return "stopped";
    }
    if (error instanceof ProtocolError && error.code === "run-finished") {
      control.enter({ phase: "finished" });
      return "finished";
    }
    const detail = error instanceof Error ? error.message : String(error);
    control.enter({ phase: "unable", why: reasonOf(error), detail });
    return "unable";
  }
}

function reasonOf(error: unknown): UnableReason {
  if (error instanceof NoDevice) return "no-device";
  if (error instanceof ProtocolError && error.code === "protocol-mismatch") return "protocol";
  return "failed";
}

/** One run, until another one takes its place. Throws everything that ends the loop. */
async function joinRun(deps: LoopDeps): Promise<void> {
  const { api, control, report } = deps;
  const { signal } = control;
  const events = new EventSubscription(deps);
  const retry = new RetryPolicy({ ...deps, events });
  const manifest = await retry.until(() => api.manifest({ signal }));
  const { cache, identity, file, trainers, loadTokenizer } = await deps.open(manifest);
  const { parameters } = manifest;
  const progress = calmProgress(deps);
  const { clock } = deps;
  const throughput = new Throughput();
  const timed = () => {
    const asked = clock();
    return (bytes: number) => throughput.received(bytes, clock() - asked);
  };
  const moved = deps.moved && { moved: deps.moved };
  const replica = await Replica.open({ api, cache, file, parameters, signal, progress, timed, ...moved });
  const tokenizer = lazily(
    async () => loadTokenizer(await api.tokenizer(manifest, { signal })),
    (missing) => report({ type: "missing", part: "tokenizer", missing }),
  );
  const parts = { cache, identity, manifest, replica, trainers, throughput, events };
  const round: RoundDeps = { ...deps, ...parts, progress, tokenizer };
  report({ type: "run", manifest, volunteer: identity.key });
  const ended = new AbortController();
  void events.listen(AbortSignal.any([signal, ended.signal]));
  try {
    if (manifest.state === "finished") throw new ProtocolError("run-finished", "the run is finished");
    await trainers.take(1); // the probe: its result is shown before anything large is fetched
    await catchUp(round, retry, manifest);
    await replica.save(); // a page closed before its time need not download everything again
    await workOn(round, retry);
  } finally {
    ended.abort();
    trainers.dispose();
    await replica.save();
  }
}

const AT_REST: ReadonlySet<Phase["phase"]> = new Set(["away", "paused", "quarantined"]);

/** Ticket after ticket. Returns when the server has another run. */
async function workOn(round: RoundDeps, retry: RetryPolicy): Promise<void> {
  const { cache, manifest, control, clock, trainers, replica, throughput, report } = round;
  const { parameters, residualDecay: decay } = manifest;
  const credit = creditTeller(round);
  await resumeUpload(round);
  const localState = new LocalState({ cache, parameters, decay, codec: codecOf(manifest.delta) });
  const save = async () => {
    await replica.save();
    await localState.save();
  };
  const fetchAhead = fetcher(round);
  let saved = clock();
  let failures = 0;
  let ahead: Promise<Work | undefined> | undefined;
  let upload: UploadInFlight | undefined;
  /** Waits for the upload that is on its way. True unless the server did not take it. */
  const land = async (): Promise<boolean> => {
    const answer = await upload?.land(localState);
    upload = undefined;
    if (answer === "taken") retry.reset();
    if (answer instanceof ProtocolError && answer.code === "run-finished") ahead = undefined;
    return answer === undefined || answer === "taken";
  };
  try {
    for (;;) {
      await control.checkpoint();
      try {
        // Who was told of a server that is away, or at rest, hears of it until it gives work again.
        if (!AT_REST.has(control.phase)) control.enter({ phase: "queued" });
        const early = await ahead;
        ahead = undefined;
        const work = early ?? (await take(round));
        if (work === undefined) return;
        const overlaps = throughput.overlaps;
        let taken = true;
        const left = (ms: number) => {
          if (overlaps && ms <= throughput.lead) ahead ??= takeAhead(round, upload);
          if (ahead === undefined) fetchAhead();
        };
        const done = await train(round, localState, work, left, async () => {
          taken = await land();
        });
        failures = 0;
        if (done !== undefined) {
          upload = await UploadInFlight.launch(round, localState, work, done);
          if (!overlaps) taken = await land();
        }
        if (done === undefined || !taken) await retry.rest("waiting");
        if (clock() - saved >= SAVE_EVERY_MS) {
          await save();
          saved = clock();
        }
        await credit();
      } catch (error) {
        if (error instanceof ModelError) {
          if (error.code === "not-finite") {
            const { code, message } = refusedAtHome(error);
            report({ type: "refused", code, message });
          } else if (++failures > MAX_FAILURES) throw error;
          if (error.code.startsWith("device-")) trainers.lost(error);
          else await localState.forget(); // numbers that no device takes: begin anew, on the next ticket
          await land();
          await retry.rest("waiting");
          continue;
        }
        // What led to work that was found bad is not carried on: whatever it was, the next is made without it.
        if (error instanceof ProtocolError && error.code === "quarantined") await localState.forget();
        await retry.waitOut(error);
        // The version that the ticket names may be gone, or our way to it: begin at the newest one.
        if (error instanceof WrongBytes || (error instanceof ProtocolError && error.code === "not-found")) {
          if (!(await catchUp(round, retry))) return;
        }
      }
    }
  } finally {
    await save();
  }
}

/** Asks for a ticket and fetches what it needs. Undefined when the server has another run. */
async function take(round: RoundDeps): Promise<Work | undefined> {
  const { api, identity, manifest, control, clock, throughput } = round;
  const asked = clock();
  const ticket = await api
    .ticket(identity, throughput.told, { signal: control.signal })
    .catch(unlessOtherRun);
  if (ticket?.run !== manifest.run) return undefined;
  await requireOurs(ticket, round);
  const given = clock(); // the server may have let us wait for a version, which is no matter of the link
  throughput.waited(given - asked);
  const work = await prepare(round, ticket, asked + ticket.lease);
  throughput.prepared(clock() - given);
  return work;
}

function unlessOtherRun(error: unknown): undefined {
  if (!(error instanceof ProtocolError && error.code === "other-run")) throw error;
}

/**
 * The next ticket, while the one before is trained. Waits for the upload before that, since the server lends two
 * at a time. What goes wrong is met again when the ticket is due.
 */
async function takeAhead(round: RoundDeps, upload: UploadInFlight | undefined): Promise<Work | undefined> {
  try {
    await upload?.answered;
    return await take(round);
  } catch {
    return undefined;
  }
}

/**
 * Brings the replica along while a ticket is trained and the line is idle, so that the next ticket finds most diffs
 * there. Not while a ticket is asked for: it names the newest version that was heard of, or one yet newer.
 */
function fetcher({ replica, events }: RoundDeps): () => void {
  let fetching = false;
  return () => {
    const { newest } = events;
    if (fetching || newest === undefined || newest.version <= (replica.version ?? newest.version)) return;
    fetching = true;
    // What fails now is tried again, and told, when a ticket needs it.
    const done = () => {
      fetching = false;
    };
    replica.sync(newest.version, newest.hash).then(done, done);
  };
}

/** Brings the replica to the run's newest version. False when the server has another run. */
async function catchUp(round: RoundDeps, retry: RetryPolicy, known?: Manifest): Promise<boolean> {
  const { api, manifest, replica, control } = round;
  let next = known;
  return retry.until(async () => {
    next ??= await api.manifest({ signal: control.signal });
    const { run, version, hash } = next;
    next = undefined; // a second try asks again: this version may be gone by then
    if (run !== manifest.run) return false;
    await replica.sync(version, hash);
    return true;
  });
}

/** A ticket that this server did not sign for us is no work of ours. */
async function requireOurs(ticket: Ticket, { manifest, identity }: RoundDeps): Promise<void> {
  if (ticket.volunteer !== identity.key || !(await verifyTicket(manifest.server, ticket))) {
    throw new WrongBytes("a ticket that is not ours, or not signed by this run's server");
  }
}

/** Tells a download's start, end and now and then its middle. */
function calmProgress({ control, clock }: Pick<RoundDeps, "control" | "clock">): Progress {
  let told = Number.NEGATIVE_INFINITY;
  return (what, bytes, total) => {
    if (control.phase === "training") return; // what is fetched meanwhile is nobody's wait
    if (bytes < total && clock() - told < PROGRESS_EVERY_MS) return;
    told = clock();
    control.enter({ phase: "downloading", what, bytes, total });
  };
}

/** Makes a value on first use; a failure is told, and tried again on the next. */
function lazily<T>(
  make: () => Promise<T>,
  missing: (missing: boolean) => void,
): () => Promise<T | undefined> {
  let made: T | undefined;
  let told = false;
  return async () => {
    made ??= await make().catch(() => undefined);
    const gone = made === undefined;
    if (gone !== told) missing(gone);
    told = gone;
    return made;
  };
}

/**
 * Reports the visitor's credit, now and then, and once more after the last delta before a rest. Not knowing it keeps
 * nobody from training.
 */
function creditTeller({ api, identity, control, clock, sleep, report }: RoundDeps): () => Promise<void> {
  let asked = Number.NEGATIVE_INFINITY;
  let due = false;
  const ask = async () => {
    due = false;
    asked = clock();
    const credit = await api.credit(identity.key, { signal: control.signal }).catch(() => undefined);
    if (credit !== undefined) report({ type: "credit", credit });
  };
  return async () => {
    const wait = asked + CREDIT_EVERY_MS - clock();
    if (wait <= 0) return ask();
    if (due) return;
    due = true;
    void sleep(wait, control.signal).then(ask, () => undefined);
  };
}
