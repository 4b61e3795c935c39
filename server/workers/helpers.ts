import type { After } from "../../model/lib/deadline.ts";
import { bytesOf } from "../../protocol/bytes.ts";
import type { AuditOrder, Evaluation, Helpers, ModelPlace } from "../evaluate/ports.ts";
import type { JobLine, WorkFigures } from "../lib/jobs.ts";
import type { Log } from "../lib/log.ts";
import type { MadeAway, MeanAway, MeanHelpers, MeanOrder } from "../merge/means.ts";
import { partsFor } from "../merge/step.ts";
import type { TurnedAway, TurnHelpers } from "../merge/turns.ts";
import type { Evidence } from "../trust/audit.ts";
import { type Asked, askWorkers, type Done, type NotDone } from "./asking.ts";
import { decodeEvidence, encodeAudit, MAX_EVIDENCE_BYTES } from "./audit-job.ts";
import type { Edition, Editions } from "./editions.ts";
import { decodeEvaluation, encodeMeasure, MAX_EVALUATION_BYTES } from "./evaluation-job.ts";
import { encodeMean } from "./mean-job.ts";
import { fetchPieces, servePieces } from "./pieces.ts";
import { Presence } from "./presence.ts";
import { TASKS, type WorkerTask } from "./tasks.ts";
import { decodeTurned, encodeTurn, isTurned, MAX_ANSWER_BYTES, normOf } from "./turn-job.ts";
import { WorkTally } from "./work-tally.ts";

/** Milliseconds for an audit or an evaluation, all tries together. Nothing waits for either but the next one. */
const MEASURE_MS = 10 * 60_000;
/** Milliseconds for a matrix of the largest models, its ways there and back included. */
const TURN_MS = 60_000;
/** Milliseconds for a part of a mean, after which this server makes all of it; and for which none is asked for after that. */
const MEAN_MS = 10_000;
const MEAN_REST_MS = 5 * 60_000;
/** Bytes of a version's frames from which on they are worth reading elsewhere, and as times of the mean's own. */
const MIN_MEAN_BYTES = 64 * 1024 * 1024;
const MIN_MEAN_PARTS = 2;
/** One in this many matrices that were turned elsewhere, and each worker's first, are turned here too. */
const CHECKED_TURNS = 32;
/** Audits under way at once: each holds a frame. */
const MAX_AUDITS = 16;
/** Matrices under way at once: each is held twice. */
const MAX_TURNS = 8;
/** Workers that are remembered, by whether they computed wrong, or anything. */
const MAX_REMEMBERED = 256;

export interface HelpersParts {
  readonly line: JobLine;
  readonly editions: Editions;
  readonly log: Log;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly after?: After;
  /** For tests. */
  readonly minMeanBytes?: number;
}

/** The other servers of a run, as the one that leads it has them work. */
export class RemoteHelpers implements Helpers, TurnHelpers, MeanHelpers {
  readonly #parts: HelpersParts;
  readonly #presence: Presence;
  readonly #distrusted = new Set<string>();
  readonly #stop: () => void;
  readonly #checked = new Set<string>();
  readonly #tallies: Readonly<Record<WorkerTask, WorkTally>>;
  #turns = 0;
  /** By which it is known who can do what. */
  #edition: Edition | undefined;
  /** When means may be asked for again. */
  #meansFrom = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(parts: HelpersParts) {
    this.#parts = parts;
    this.#presence = new Presence(parts.now);
    const tally = () => new WorkTally(parts.now);
    this.#tallies = { audits: tally(), evaluations: tally(), merges: tally() };
    this.#stop = parts.line.listen((message) => this.#hear(message));
  }

  get audits(): number {
    return Math.min(MAX_AUDITS, 1 + this.#taking("audits"));
  }

  get merges(): number {
    return Math.min(MAX_TURNS, this.#taking("merges"));
  }

  /** For a monitor. */
  get figures(): Readonly<Record<WorkerTask, WorkFigures>> {
    const of = (task: WorkerTask) => ({ workers: this.#taking(task), ...this.#tallies[task].counts });
    return { audits: of("audits"), evaluations: of("evaluations"), merges: of("merges") };
  }

  #taking(task: WorkerTask): number {
    if (this.#edition === undefined) return 0;
    const kind = `${task}.${this.#edition[task]}`;
    return this.#presence.taking(kind).filter((who) => !this.#distrusted.has(who)).length;
  }

  async audit(order: AuditOrder): Promise<{ readonly evidence: Evidence; readonly who: string } | undefined> {
    const found = await this.#ask("audits", encodeAudit(order), MAX_EVIDENCE_BYTES, decodeEvidence);
    return found && { evidence: found.answer, who: found.who };
  }

  async evaluate(
    model: ModelPlace,
  ): Promise<{ readonly evaluation: Evaluation; readonly who: string } | undefined> {
    const found = await this.#ask(
      "evaluations",
      encodeMeasure(model),
      MAX_EVALUATION_BYTES,
      decodeEvaluation,
    );
    return found && { evaluation: found.answer, who: found.who };
  }

  async turn(values: Float32Array, rows: number, columns: number): Promise<TurnedAway | undefined> {
    const { line, log } = this.#parts;
    const norm = normOf(values);
    if (!(norm > 0 && norm < Number.POSITIVE_INFINITY)) return undefined;
    const served = servePieces(line, bytesOf(values));
    try {
      const job = encodeTurn({ rows, columns, address: served.address });
      const found = await this.#ask("merges", job, MAX_ANSWER_BYTES, decodeTurned, TURN_MS);
      if (found === undefined) return undefined;
      const bytes = await fetchPieces(line, found.answer, values.byteLength);
      const turned = new Float32Array(bytes.buffer);
      if (!isTurned(turned, norm)) {
        this.distrust(found.who);
        return undefined;
      }
      return { values: turned, who: found.who, checked: this.#isChecked(found.who) };
    } catch (error) {
      log.warn({ error: String(error) }, "a worker did not hand over a matrix");
      return undefined;
    } finally {
      served.stop();
    }
  }

  /** In as many parts as there are workers, each of which reads all frames: the leader then reads none. */
  async mean(
    { records, shares, frameBytes }: MeanAway & { readonly shares: readonly number[] },
    length: number,
  ): Promise<MadeAway | undefined> {
    const { now, minMeanBytes = MIN_MEAN_BYTES } = this.#parts;
    const workers = this.merges;
    const bytes = records.length * frameBytes;
    // The mean itself comes as f32: it must be shorter than what the leader would read instead.
    const isWorth = bytes >= minMeanBytes && bytes >= MIN_MEAN_PARTS * 4 * length;
    if (workers === 0 || !isWorth || now() < this.#meansFrom) return undefined;
    const parts = partsFor(workers, length).filter(({ from, to }) => from < to);
    const made = await Promise.all(parts.map((part) => this.#meanPart({ records, shares, ...part })));
    const whole = made.filter((part) => part !== undefined);
    if (whole.length === parts.length) {
      // Each is noted, also behind one that is checked.
      const checked = whole.map(({ who }) => this.#isChecked(who)).includes(true);
      return { parts: whole, checked };
    }
    this.#meansFrom = now() + MEAN_REST_MS;
    return undefined;
  }

  async #meanPart(order: MeanOrder): Promise<MadeAway["parts"][number] | undefined> {
    const { line, log } = this.#parts;
    try {
      const found = await this.#ask("merges", encodeMean(order), MAX_ANSWER_BYTES, decodeTurned, MEAN_MS);
      if (found === undefined) return undefined;
      const bytes = await fetchPieces(line, found.answer, 4 * (order.to - order.from));
      const values = new Float32Array(bytes.buffer);
      if (Number.isFinite(normOf(values))) return { from: order.from, values, who: found.who };
      this.distrust(found.who);
    } catch (error) {
      log.warn({ error: String(error) }, "a worker did not hand over its part of a mean");
    }
    return undefined;
  }

  #isChecked(who: string): boolean {
    if (this.#checked.size >= MAX_REMEMBERED) this.#checked.clear();
    const first = !this.#checked.has(who);
    this.#checked.add(who);
    return first || ++this.#turns % CHECKED_TURNS === 0;
  }

  distrust(who: string): void {
    this.#parts.log.error({ who }, "a worker computes wrong, and is asked no more until it is started again");
    if (this.#distrusted.size >= MAX_REMEMBERED) this.#distrusted.clear();
    this.#distrusted.add(who);
  }

  close(): void {
    this.#closed = true;
    this.#stop();
  }

  async #ask<T>(
    task: WorkerTask,
    job: Uint8Array,
    maxBytes: number,
    read: Asked<T>["read"],
    deadlineMs = MEASURE_MS,
  ): Promise<Done<T> | undefined> {
    const { line, log, after } = this.#parts;
    if (this.#closed) return undefined;
    const tally = this.#tallies[task];
    const { taken, over } = tally.begin();
    let done: Done<T> | undefined;
    try {
      const kind = `${task}.${(await this.#learn())[task]}`;
      done = await askWorkers(
        {
          ...{ line, after, taken },
          isDistrusted: (who) => this.#distrusted.has(who),
          failed: (error) => {
            tally.failed();
            this.#failed(error);
          },
        },
        { kind, job, deadlineMs, maxBytes, read },
      );
    } catch (error) {
      log.warn({ error: String(error) }, "no worker could be asked");
    }
    over(done !== undefined);
    return done;
  }

  #failed({ why, who, message }: NotDone): void {
    if (why === "nonsense" && who !== "") this.distrust(who);
    else this.#parts.log.warn({ who, why: message }, "a worker did not do its job");
  }

  #hear(message: Uint8Array<ArrayBuffer>): void {
    const sign = this.#presence.hear(message);
    if (this.#edition === undefined) this.#learn().catch(() => {}); // the run is not open yet
    if (sign === undefined) return;
    const { log } = this.#parts;
    log.info({ ...sign }, "a worker is there");
    void this.#learn()
      .then((now) => {
        for (const kind of sign.kinds) {
          const [name, edition] = kind.split(".");
          const task = TASKS.find((one) => one === name);
          if (task !== undefined && now[task] !== edition)
            log.warn(
              { who: sign.who, kind },
              "a worker has other text, questions or another program, and is not asked",
            );
        }
      })
      .catch(() => {});
  }

  async #learn(): Promise<Edition> {
    this.#edition = await this.#parts.editions.now();
    return this.#edition;
  }
}
