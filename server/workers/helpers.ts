import type { After } from "../../model/lib/deadline.ts";
import type { AuditOrder, Evaluation, Helpers, ModelPlace } from "../evaluate/ports.ts";
import type { JobLine } from "../lib/jobs.ts";
import type { Log } from "../lib/log.ts";
import type { Evidence } from "../trust/audit.ts";
import { type Asked, askWorkers, type Done, type NotDone } from "./asking.ts";
import { decodeEvidence, encodeAudit, MAX_EVIDENCE_BYTES } from "./audit-job.ts";
import type { Editions } from "./editions.ts";
import { decodeEvaluation, encodeMeasure, MAX_EVALUATION_BYTES } from "./evaluation-job.ts";
import { Presence } from "./presence.ts";

/** Milliseconds for an audit or an evaluation, all tries together. Nothing waits for either but the next one. */
const MEASURE_MS = 10 * 60_000;
/** Audits under way at once: each holds a frame. */
const MAX_AUDITS = 16;
/** Workers that computed wrong and are remembered. */
const MAX_DISTRUSTED = 256;

export interface HelpersParts {
  readonly line: JobLine;
  readonly editions: Editions;
  readonly log: Log;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly after?: After;
}

/** The other servers of a run, as the one that leads it has them work. */
export class RemoteHelpers implements Helpers {
  readonly #parts: HelpersParts;
  readonly #presence: Presence;
  readonly #distrusted = new Set<string>();
  readonly #stop: () => void;
  #auditKind: string | undefined;
  #closed = false;

  constructor(parts: HelpersParts) {
    this.#parts = parts;
    this.#presence = new Presence(parts.now);
    this.#stop = parts.line.listen((message) => this.#hear(message));
  }

  get audits(): number {
    if (this.#auditKind === undefined) return 1;
    const trusted = this.#presence.taking(this.#auditKind).filter((who) => !this.#distrusted.has(who));
    return Math.min(MAX_AUDITS, 1 + trusted.length);
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

  distrust(who: string): void {
    this.#parts.log.error({ who }, "a worker computes wrong, and is asked no more until it is started again");
    if (this.#distrusted.size >= MAX_DISTRUSTED) this.#distrusted.clear();
    this.#distrusted.add(who);
  }

  close(): void {
    this.#closed = true;
    this.#stop();
  }

  async #ask<T>(
    task: "audits" | "evaluations",
    job: Uint8Array,
    maxBytes: number,
    read: Asked<T>["read"],
  ): Promise<Done<T> | undefined> {
    const { line, editions, log, after } = this.#parts;
    if (this.#closed) return undefined;
    try {
      const kind = `${task}.${(await editions.now())[task]}`;
      if (task === "audits") this.#auditKind = kind;
      return await askWorkers(
        {
          line,
          after,
          isDistrusted: (who) => this.#distrusted.has(who),
          failed: (error) => this.#failed(error),
        },
        { kind, job, deadlineMs: MEASURE_MS, maxBytes, read },
      );
    } catch (error) {
      log.warn({ error: String(error) }, "no worker could be asked");
      return undefined;
    }
  }

  #failed({ why, who, message }: NotDone): void {
    if (why === "nonsense" && who !== "") this.distrust(who);
    else this.#parts.log.warn({ who, why: message }, "a worker did not do its job");
  }

  #hear(message: Uint8Array<ArrayBuffer>): void {
    const sign = this.#presence.hear(message);
    if (sign === undefined) return;
    const { log, editions } = this.#parts;
    log.info({ ...sign }, "a worker is there");
    void editions
      .now()
      .then((now) => {
        for (const kind of sign.kinds) {
          const [task, edition] = kind.split(".");
          if ((task === "audits" || task === "evaluations") && now[task] !== edition)
            log.warn(
              { who: sign.who, kind },
              "a worker has other text, questions or another program, and is not asked",
            );
        }
      })
      .catch(() => {}); // the run is not open yet
  }
}
