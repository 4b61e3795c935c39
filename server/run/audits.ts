import type { CodecSpec } from "../../protocol/codec/codec.ts";
import { decodeFrame } from "../../protocol/frame.ts";
import { type Ticket, ticketTokens } from "../../protocol/ticket.ts";
import type { Upload } from "../../protocol/upload.ts";
import type { Auditor, RunOptions } from "../options.ts";
import type { Audited } from "../rounds/events.ts";
import type { State } from "../rounds/state.ts";
import {
  auditCost,
  Budget,
  chanceOf,
  FIRST_LOOK,
  kindOf,
  SECOND_LOOK,
  type Verdict,
  verdictOf,
} from "../trust/audit.ts";
import type { Candidate } from "../trust/candidate.ts";
import type { Founded } from "./genesis.ts";

/** Audits that wait, at most: beyond it the newest are not made. A frame each is held in memory. */
const MOST_WAITING = 32;
/** Tickets counted as trained before the first, so that the first newcomers can be audited. */
const AHEAD = 20;

/** What audits need of the core. */
interface AuditedCore {
  readonly founded: Pick<Founded, "settings" | "task" | "delta" | "rules">;
  readonly state: State;
  now(): number;
  snapshot(hash: Ticket["hash"]): Promise<Uint8Array<ArrayBuffer> | undefined>;
  record(event: Audited): Promise<void>;
}

/** The audits of a run, or undefined where its settings or its shell want none. */
export function auditsOf(core: AuditedCore, options: RunOptions): Audits | undefined {
  const { settings, task, delta, rules } = core.founded;
  const { auditor, corpus, random, log } = options;
  const share = settings.trust.auditShare;
  if (auditor === undefined || share === 0) return undefined;
  return new Audits({
    auditor,
    share,
    codec: delta,
    context: rules.context,
    parameters: task.parameters,
    draw: () => new DataView(random(4).buffer).getUint32(0, true),
    state: () => core.state,
    weights: async ({ hash }) => {
      const file = await core.snapshot(hash);
      return file && task.decode(file);
    },
    shard: ({ shard }) => corpus.shard(shard),
    record: (audited) => core.record({ ...audited, at: core.now() }),
    failed: (error) => log.warn({ error: String(error) }, "a delta could not be audited"),
  });
}

export interface AuditsOptions {
  readonly auditor: Auditor;
  /** What audits may cost, as a part of what volunteers train. */
  readonly share: number;
  readonly codec: CodecSpec;
  readonly context: number;
  readonly parameters: number;
  /** A number nobody can guess, in [0, 2³²). */
  readonly draw: () => number;
  readonly state: () => State;
  /** The weights of a version that is kept, or undefined. */
  readonly weights: (ticket: Ticket) => Promise<Float32Array<ArrayBuffer> | undefined>;
  readonly shard: (ticket: Ticket) => Promise<Uint8Array<ArrayBuffer>>;
  readonly record: (audited: Omit<Audited, "at">) => Promise<void>;
  readonly failed: (error: unknown) => void;
}

/**
 * Audits beside the run, one at a time and within their budget: nobody waits for one. What is chosen is chosen by
 * chance and standing (trust/audit.ts); what comes of it is journaled, so a replay audits nothing. A restart
 * forgets what waits.
 */
export class Audits {
  readonly #options: AuditsOptions;
  readonly #waiting: Upload[] = [];
  #budget: Budget | undefined;
  #busy = false;
  #stopped = false;

  constructor(options: AuditsOptions) {
    this.#options = options;
  }

  /** Considers a delta that was just accepted. */
  consider(upload: Upload, delta: Candidate): void {
    const { share, context, draw, state } = this.#options;
    const tokens = ticketTokens(upload.ticket, context);
    this.#budget ??= new Budget(share, AHEAD * tokens);
    this.#budget.earn(tokens);
    if (delta.facts?.copies !== undefined) {
      void this.#tell(upload.ticket, { verdict: "bad", reason: "copy" }); // there is nothing to measure
      return;
    }
    const { pool, trust } = state();
    const chance = chanceOf(delta, upload.ticket.fresh, pool, trust);
    if (this.#stopped || this.#waiting.length >= MOST_WAITING || draw() / 2 ** 32 >= chance) return;
    this.#waiting.push(upload);
    if (!this.#busy) void this.#work();
  }

  stop(): void {
    this.#stopped = true;
    this.#waiting.length = 0;
  }

  async #work(): Promise<void> {
    this.#busy = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      try {
        await this.#audit(next);
      } catch (error) {
        this.#options.failed(error);
      }
    }
    this.#busy = false;
  }

  async #audit({ ticket, frame }: Upload): Promise<void> {
    const { auditor, codec, context, parameters, draw, state } = this.#options;
    const weights = await this.#options.weights(ticket);
    if (weights === undefined) return; // so old that nothing can be said of it
    const shard = await this.#options.shard(ticket);
    const recomputed = ticket.fresh ? ticketTokens(ticket, context) : 0;
    for (const batches of [FIRST_LOOK, SECOND_LOOK]) {
      const cost = auditCost(batches * ticket.batch * context, recomputed);
      const kind = kindOf(ticket.volunteer, state().trust);
      if (this.#stopped || !this.#budget?.spend(cost, kind)) return;
      const evidence = await auditor.audit({
        ticket,
        shard: new Uint16Array(shard.slice().buffer),
        weights,
        delta: decodeFrame(frame, parameters),
        codec,
        seed: draw(),
        batches,
      });
      const verdict = verdictOf(evidence, ticket.steps, state().trust);
      if (verdict.verdict === "good" || batches === SECOND_LOOK) return this.#tell(ticket, verdict);
    }
  }

  async #tell({ id: ticket, volunteer }: Ticket, verdict: Verdict): Promise<void> {
    try {
      if (!this.#stopped) await this.#options.record({ type: "audited", ticket, volunteer, ...verdict });
    } catch (error) {
      this.#options.failed(error);
    }
  }
}
