import { codecIn, decodeFrame } from "../../protocol/frame.ts";
import type { Hash, TicketId } from "../../protocol/ids.ts";
import type { Ticket } from "../../protocol/ticket.ts";
import { stepsDone, type Upload, uploadTokens } from "../../protocol/upload.ts";
import type { Audited } from "../coordinator/events.ts";
import type { Rules } from "../coordinator/rules.ts";
import type { State } from "../coordinator/state.ts";
import type { AuditJob } from "../evaluate/examine.ts";
import type { Auditor } from "../evaluate/ports.ts";
import { forgetOldest } from "../lib/oldest.ts";
import {
  blameOf,
  excused,
  lookCost,
  lookInto,
  type Plan,
  planOf,
  type Verdict,
  verdictOf,
} from "../trust/audit.ts";
import { Budget, type Look, type Purse, purseOf } from "../trust/budget.ts";
import type { Candidate } from "../trust/candidate.ts";
import { type Gauge, REMEMBERED } from "../trust/gauge.ts";
import { Learning, NEWEST } from "../trust/learning.ts";
import type { Blamed } from "./recent-deltas.ts";
import { readTheSame } from "./same-text.ts";

/** Audits that wait, at most: beyond it the newest are not made. A frame each is held in memory. */
const MAX_WAITING = 32;
/** Tickets counted as trained before the first, so that the first newcomers can be audited. */
export const AHEAD = 40;
/** Versions after which the server's own direction is computed again. */
export const DIRECTION_EVERY = 8;
export const DIRECTION_STEPS = 4;

export interface AuditsOptions {
  readonly auditor: Auditor;
  /** Part of the volunteers' training that audits may cost. */
  readonly share: number;
  readonly context: number;
  /** Sequences of a micro-batch. */
  readonly batch: number;
  readonly parameters: number;
  /** Measures deltas as they come in, and compares them with the server's own direction. */
  readonly gauge: Gauge;
  /** A number nobody can guess, in [0, 2³²). */
  readonly draw: () => number;
  readonly state: () => State;
  /** Learning rates of so many steps of so many sequences when so many tokens are merged. */
  readonly rates: Rules["rates"];
  /** The weights of a version that is kept, or undefined. */
  readonly weights: (hash: Hash) => Promise<Float32Array<ArrayBuffer> | undefined>;
  readonly shard: (hash: Hash) => Promise<Uint8Array<ArrayBuffer>>;
  readonly record: (audited: Omit<Audited, "at">) => Promise<void>;
  readonly failed: (error: unknown) => void;
}

/**
 * Audits beside the run, one at a time and within their budget: nobody waits for one. What is chosen is chosen by
 * chance and standing (trust/audit.ts); what comes of it is journaled, so a replay audits nothing. A restart
 * forgets waiting audits, except those of a roll-back (run/recent-deltas.ts).
 */
export class Audits {
  readonly #options: AuditsOptions;
  readonly #waiting: (() => Promise<void>)[] = [];
  /** Of those, what a roll-back put in, and what is being audited for one. */
  readonly #blamed = new Set<TicketId>();
  #budget: Budget | undefined;
  /** The version that the server's direction was last found, or tried, at. */
  #directed = Number.NEGATIVE_INFINITY;
  readonly #learning = new Learning();
  /** Tickets whose deltas the gauge may find copies of, the oldest first. */
  readonly #recent = new Map<TicketId, Ticket>();
  #busy = false;
  #stopped = false;

  constructor(options: AuditsOptions) {
    this.#options = options;
  }

  get gauge(): Gauge {
    return this.#options.gauge;
  }

  /** Considers a delta that was just accepted. */
  consider(upload: Upload, delta: Candidate): void {
    const { context, draw, state } = this.#options;
    const tokens = uploadTokens(upload, context);
    const budget = this.#budgetFor(tokens);
    budget.earn(tokens);
    if (this.#stopped) return;
    const { pool, trust, version } = state();
    if (version - this.#directed >= DIRECTION_EVERY && this.#direct(budget)) this.#directed = version;
    const copies = delta.facts?.copies;
    const copied = copies && this.#recent.get(copies);
    this.#recent.set(upload.ticket.id, upload.ticket);
    forgetOldest(this.#recent, REMEMBERED);
    if (copies !== undefined) {
      const held = { ...upload, frame: upload.frame.slice() };
      void this.#considerCopy(held, copied).catch((error: unknown) => this.#options.failed(error));
      return;
    }
    const { chance, whose } = planOf(delta, upload.ticket.fresh, pool, trust);
    if (this.#waiting.length >= MAX_WAITING || draw() / 2 ** 32 >= chance) return;
    const frame = upload.frame.slice(); // the upload's own bytes are the next one's by then
    this.#put(() => this.#audit({ ...upload, frame }, whose));
  }

  /** The budget, which begins with tickets like the first one that it is asked for. */
  #budgetFor(tokens: number): Budget {
    this.#budget ??= new Budget(this.#options.share, AHEAD * tokens);
    return this.#budget;
  }

  /** A copy is bad as it stands, but where the two tickets have the same text: then it is audited as any suspect. */
  async #considerCopy(upload: Upload, copied: Ticket | undefined): Promise<void> {
    const { context } = this.#options;
    const textOf = async (ticket: Ticket) => ({ shard: await this.#tokensOf(ticket.shard), range: ticket });
    if (copied && readTheSame(await textOf(upload.ticket), await textOf(copied), context)) {
      if (this.#waiting.length < MAX_WAITING) this.#put(() => this.#audit(upload, "stranger"));
      return;
    }
    await this.#tell(upload.ticket, { verdict: "bad", reason: "copy" }); // there is nothing to measure
  }

  async #tokensOf(shard: Hash): Promise<Uint16Array> {
    return new Uint16Array((await this.#options.shard(shard)).slice().buffer);
  }

  /**
   * After a roll-back: audits what was merged since the version whose weights came back, one by one on those weights,
   * whatever it costs. Who harmed the model is found bad, and whose deltas help there has its trust again. One that waits already is
   * not put in again.
   */
  blame(merged: readonly Blamed[]): void {
    // Held until all are audited: a run that goes on may let go of the version meanwhile.
    const weights = new Map<Hash, Promise<Float32Array | undefined>>();
    for (const one of merged) {
      if (this.#blamed.has(one.ticket)) continue;
      this.#blamed.add(one.ticket);
      const at = weights.get(one.on) ?? this.#options.weights(one.on);
      at.catch(() => {}); // the audit that uses them gets the error
      weights.set(one.on, at);
      this.#put(() => this.#reaudit(one, at).finally(() => this.#blamed.delete(one.ticket)));
    }
  }

  /** Asks the auditor before all audits wait for it, and whatever it costs. Stays unanswered once stopped. */
  urgent<T>(question: (auditor: Auditor) => Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#waiting.unshift(() => question(this.#options.auditor).then(resolve, reject));
    if (!this.#busy) void this.#work();
    return promise;
  }

  stop(): void {
    this.#stopped = true;
    this.#waiting.length = 0;
  }

  #put(job: () => Promise<void>): void {
    this.#waiting.push(job);
    if (!this.#busy) void this.#work();
  }

  async #work(): Promise<void> {
    this.#busy = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      try {
        await next();
      } catch (error) {
        if (!this.#stopped) this.#options.failed(error);
      }
    }
    this.#busy = false;
  }

  /** Computes the direction again, where the budget allows it. */
  #direct(budget: Budget): boolean {
    const { auditor, batch, context, draw, gauge, rates, state, weights } = this.#options;
    if (!budget.spend(DIRECTION_STEPS * batch * context, "veteran")) return false;
    this.#put(async () => {
      const { hash, tokens } = state();
      const at = await weights(hash);
      if (at === undefined) return;
      gauge.direct(
        await auditor.direct({
          weights: at,
          rates: rates(tokens, DIRECTION_STEPS, batch),
          batch,
          seed: draw(),
        }),
      );
    });
    return true;
  }

  async #audit(upload: Upload, whose: Plan["whose"]): Promise<void> {
    const { ticket, frame } = upload;
    const { context } = this.#options;
    const weights = await this.#options.weights(ticket.hash);
    if (weights === undefined) return; // so old that nothing can be said of it
    const tokens = uploadTokens(upload, context);
    const cost = (look: Look) => lookCost(look, ticket.batch * context, tokens, ticket.fresh);
    const purse = purseOf(this.#budgetFor(tokens), whose, cost);
    const done = stepsDone(upload);
    const about = { ticket: { ...ticket, done }, weights, frame, shard: ticket.shard };
    const verdict = await this.#judge(about, purse, verdictOf, NEWEST);
    if (verdict !== undefined) await this.#tell(ticket, verdict);
  }

  async #reaudit(
    { ticket, volunteer, range, on, origin, open, frame }: Blamed,
    at: Promise<Float32Array | undefined>,
  ): Promise<void> {
    const { context } = this.#options;
    if (!open()) return;
    const weights = await at;
    const found = await frame();
    if (weights === undefined || found === undefined) return;
    const about = { ticket: { ...range, rates: [], fresh: false }, frame: found };
    const batchTokens = range.batch * context;
    const cost = (look: Look) => lookCost(look, batchTokens, range.done * batchTokens, false);
    // Out of the veterans' half, whose deltas most of these are: what strangers send meanwhile is audited as ever.
    const purse = purseOf(this.#budgetFor(range.done * batchTokens), "veteran", cost, true);
    const look = (model: Float32Array, judge: typeof verdictOf, known?: Hash) =>
      this.#judge({ ...about, weights: model, shard: range.shard }, purse, judge, known);
    const blamed = await look(weights, blameOf, on);
    if (blamed === undefined) return;
    const made = blamed.verdict === "bad" ? await origin() : undefined;
    const verdict = excused(blamed, made && (await look(made, verdictOf)));
    await this.#tell({ id: ticket, volunteer }, { ...verdict, on });
  }

  /** Undefined where it cannot be afforded. `on`: see {@link Learning}. */
  async #judge(
    { frame, shard, ...about }: Looked,
    purse: Purse,
    judge: typeof verdictOf,
    on: string | undefined,
  ): Promise<Verdict | undefined> {
    const { auditor, parameters, draw, state } = this.#options;
    const text = await this.#tokensOf(shard);
    const { ticket } = about;
    // After a roll-back the ticket is gone: the delta is compared with training at today's rates.
    const ratesOf = () =>
      ticket.rates.length > 0
        ? ticket.rates
        : this.#options.rates(state().tokens, ticket.steps, ticket.batch, ticket.inner);
    return lookInto(
      (look) =>
        auditor.audit({
          ...about,
          ...look,
          ...(look.own && { ticket: { ...ticket, rates: ratesOf() } }),
          shard: text,
          delta: decodeFrame(frame, parameters),
          codec: codecIn(frame, parameters),
          seed: draw(),
        }),
      { ...purse, pay: (...looks) => !this.#stopped && purse.pay(...looks) },
      (evidence) => {
        const verdict = judge(evidence, ticket.done ?? ticket.steps, state().trust);
        if (evidence.own !== undefined) this.#learning.note(verdict, on, state());
        return verdict;
      },
      this.#learning.on(on, state()),
    );
  }

  async #tell(
    { id: ticket, volunteer }: Pick<Ticket, "id" | "volunteer">,
    verdict: Verdict & Pick<Audited, "on">,
  ): Promise<void> {
    try {
      if (!this.#stopped) await this.#options.record({ type: "audited", ticket, volunteer, ...verdict });
    } catch (error) {
      this.#options.failed(error);
    }
  }
}

/** A delta to be looked at, and on which weights. */
interface Looked extends Pick<AuditJob, "ticket" | "weights"> {
  readonly frame: Uint8Array<ArrayBuffer>;
  readonly shard: Hash;
}
