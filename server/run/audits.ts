import type { Hash, TicketId } from "../../protocol/ids.ts";
import type { Ticket } from "../../protocol/ticket.ts";
import { stepsDone, type Upload, uploadTokens } from "../../protocol/upload.ts";
import type { Audited } from "../coordinator/events.ts";
import type { Auditor, ModelPlace } from "../evaluate/ports.ts";
import { forgetOldest } from "../lib/oldest.ts";
import {
  type Evidence,
  forfeitOf,
  lookCost,
  type Steps,
  type Verdict,
  verdictOf,
  verdictOfOdd,
} from "../trust/audit.ts";
import { type Budget, HALVES, type Look, type Purse, purseOf } from "../trust/budget.ts";
import type { Candidate } from "../trust/candidate.ts";
import { firstBudget } from "../trust/first-budget.ts";
import { type Gauge, REMEMBERED } from "../trust/gauge.ts";
import { weightsAgainst } from "../trust/learning.ts";
import { type Plan, planOf } from "../trust/plan.ts";
import { PLACES, type Sender } from "../trust/shared-audits.ts";
import { standingOf } from "../trust/standing.ts";
import { clipFor } from "../trust/weigh.ts";
import { AuditQueue } from "./audit-queue.ts";
import { Direction, type DirectionOptions } from "./direction.ts";
import { type Looked, Looks, type LooksOptions } from "./looks.ts";
import { MergedAudits } from "./merged-audits.ts";
import { readTheSame } from "./same-text.ts";
import type { VolunteerAudits } from "./volunteer-audits.ts";

/** Audits that wait, at most: beyond it the newest are not made. A frame each is held in memory. */
const MAX_WAITING = 32;
/** Audits that wait for the server from which on volunteers make the next one. */
const MAX_AHEAD = 2;

export interface AuditsOptions extends LooksOptions, DirectionOptions {
  /** Where the weights of a version are stored, for others to read; absent: only this server measures. */
  readonly placeOf?: (version: number, hash: Hash) => Promise<ModelPlace | undefined>;
  /** Part of the volunteers' training that audits may cost. */
  readonly share: number;
  /** Part of its steps that a fresh ticket has; absent: all. */
  readonly freshPart?: number | undefined;
  readonly record: (audited: Omit<Audited, "at">) => Promise<void>;
  readonly failed: (error: unknown) => void;
  /** Volunteers that audit where the auditor has more to do than it can; absent: it is alone. */
  readonly volunteers?: VolunteerAudits;
}

interface Order extends Pick<Plan, "whose"> {
  readonly must?: boolean;
  readonly odd?: boolean;
}

/**
 * Audits beside the run, one at a time and within their budget: nobody waits for one. What is chosen is chosen by
 * chance and standing (trust/plan.ts); what comes of it is journaled, so a replay audits nothing. A restart
 * forgets waiting audits, except those of a roll-back (run/recent-deltas.ts).
 */
export class Audits {
  readonly #options: AuditsOptions;
  readonly #queue: AuditQueue;
  readonly #merged: MergedAudits;
  #budget: Budget | undefined;
  readonly #direction: Direction;
  readonly #looks: Looks;
  /** Tickets whose deltas the gauge may find copies of, the oldest first. */
  readonly #recent = new Map<TicketId, Ticket>();

  constructor(options: AuditsOptions) {
    this.#options = options;
    this.#looks = new Looks(options);
    this.#queue = new AuditQueue(options.failed, () => options.helpers?.audits ?? 1);
    this.#direction = new Direction(options, this.#queue);
    const { context, state, weights } = options;
    this.#merged = new MergedAudits({
      ...{ context, state, weights, queue: this.#queue, looks: this.#looks },
      budget: (tokens) => this.#budgetFor(tokens),
      tell: ({ ticket: id, volunteer }, verdict, on) =>
        this.#tell({ id, volunteer }, { ...verdict, ...(on !== undefined && { on }) }),
    });
  }

  get gauge(): Gauge {
    return this.#options.gauge;
  }

  /** Volunteers that audit, where the run has any do so. */
  get volunteers(): VolunteerAudits | undefined {
    return this.#options.volunteers;
  }

  /** Considers a delta that was just accepted. */
  consider(upload: Upload, delta: Candidate): void {
    const { context, draw, state, volunteers, failed } = this.#options;
    const tokens = uploadTokens(upload, context);
    const budget = this.#budgetFor(tokens, upload.ticket.batch * context);
    budget.earn(tokens);
    if (this.#queue.stopped) return;
    volunteers?.worked(delta.volunteer);
    const { pool, trust } = state();
    this.#direction.keep(budget);
    const copies = delta.facts?.copies;
    const copied = copies && this.#recent.get(copies);
    this.#recent.set(upload.ticket.id, upload.ticket);
    forgetOldest(this.#recent, REMEMBERED);
    if (copies !== undefined) {
      void this.#considerCopy({ ...upload, frame: upload.frame.slice() }, copied).catch(failed);
      return;
    }
    const plan = planOf(delta, upload.ticket.fresh, pool, trust);
    if (draw() / 2 ** 32 >= plan.chance) return;
    const sender = { volunteer: delta.volunteer, network: delta.facts?.from };
    const scale = clipFor(delta, pool, trust);
    // Volunteers get a delta as it was sent, and no gate text: the server looks itself at one that is odd.
    const odd = scale < 1 || plan.odd === true;
    const crowded = this.#queue.waiting >= MAX_AHEAD && !odd;
    const helped = crowded && volunteers?.canTake(sender, upload.frame.length);
    const shared = helped ? volunteers : undefined;
    if (shared === undefined && this.#queue.waiting >= MAX_WAITING) return;
    const held = { ...upload, frame: upload.frame.slice() }; // its own bytes are the next one's by then
    const must = plan.first === true && shared === undefined && budget.takeFirst();
    if (shared === undefined) this.#queue.put(() => this.#audit(held, { ...plan, must, odd }, scale));
    else void this.#auditShared(held, plan.whose, sender, shared).catch(failed);
  }

  /** The budget, which begins with tickets like the first one that it is asked for. */
  #budgetFor(tokens: number, batchTokens?: number): Budget {
    const { share, freshPart } = this.#options;
    this.#budget ??= firstBudget(share, { tokens, freshPart, ...(batchTokens && { batchTokens }) });
    return this.#budget;
  }

  /**
   * A copy is bad as it stands, but where both tickets have the same text, or its own can be recomputed: then it is audited. So
   * is one of a delta that was never accepted: of its text nothing is known.
   */
  async #considerCopy(upload: Upload, copied: Ticket | undefined): Promise<void> {
    const { context } = this.#options;
    const textOf = async (range: Ticket) => ({ shard: await this.#looks.tokensOf(range.shard), range });
    const same = async () =>
      copied === undefined || readTheSame(await textOf(upload.ticket), await textOf(copied), context);
    if (upload.ticket.fresh || (await same())) {
      if (this.#queue.waiting < MAX_WAITING)
        this.#queue.put(() => this.#audit(upload, { whose: "stranger" }));
      return;
    }
    await this.#tell(upload.ticket, { verdict: "bad", reason: "copy" }); // there is nothing to measure
  }

  /** Audits of deltas that were merged: for a roll-back, or since they seem to have done harm. */
  get merged(): MergedAudits {
    return this.#merged;
  }

  /** Asks the auditor before all audits wait for it, and whatever it costs. Stays unanswered once stopped. */
  urgent<T>(question: (auditor: Auditor) => Promise<T>): Promise<T> {
    return this.#queue.ask(() => question(this.#options.auditor), "first");
  }

  /**
   * Asks the auditor after what waits by now, where either half of the budget can pay for it; else resolves to undefined.
   * `cost` is in tokens trained. Stays unanswered once stopped.
   */
  ask<T>(cost: number, question: (auditor: Auditor) => Promise<T>): Promise<T | undefined> {
    if (this.#budget?.spendFirst(cost) !== true) return Promise.resolve(undefined);
    return this.#queue.ask(() => question(this.#options.auditor));
  }

  /** Whether {@link ask} would be answered at that cost. */
  affords(cost: number): boolean {
    return HALVES.some((half) => this.#budget?.affords(cost, half) === true);
  }

  /** The same for a roll-back: by turns with other audits, and whatever it costs. */
  inquire<T>(cost: number, question: (auditor: Auditor) => Promise<T>): Promise<T> {
    this.#budgetFor(cost).charge(cost, "veteran");
    return this.#queue.ask(() => question(this.#options.auditor), "inquiry");
  }

  stop(): void {
    this.#queue.stop();
  }

  /** `scale`: the part of it that is merged, for its size. */
  async #audit(upload: Upload, { whose, must, odd }: Order, scale = 1): Promise<void> {
    const { ticket } = upload;
    const model = await this.#options.placeOf?.(ticket.version, ticket.hash).catch(() => undefined);
    const weights = model === undefined ? await this.#options.weights(ticket.hash) : undefined;
    if (model === undefined && weights === undefined) return; // so old that nothing can be said of it
    // A fresh ticket's delta is compared with the server's own as it was sent.
    const merged = ticket.fresh ? 1 : scale;
    const here = async () => weights ?? this.#options.weights(ticket.hash);
    const looked = { ...lookedOf(upload, here), scale: merged, model };
    const look = (about: Look) => this.#looks.bySomebody(looked, about);
    const purse = this.#purseFor(upload, whose, (about) => this.#costOf(upload, about), must);
    const judge = odd === true ? verdictOfOdd : verdictOf;
    const verdict = await this.#looks.judge(look, stepsOf(upload), purse, judge, this.#against(ticket));
    if (verdict !== undefined) await this.#tell(ticket, verdict);
  }

  /** The same by volunteers, whose three times the work is paid for; before anybody is blamed the server trains alone. */
  async #auditShared(
    upload: Upload,
    whose: Plan["whose"],
    sender: Sender,
    volunteers: VolunteerAudits,
  ): Promise<void> {
    const { ticket, frame } = upload;
    const looked = lookedOf(upload, () => this.#options.weights(ticket.hash));
    const recent = [...this.#recent.values()];
    const other = (recent[this.#options.draw() % recent.length] ?? ticket).shard;
    const look = (about: Look): Promise<Evidence> =>
      about.own
        ? this.urgent(() => this.#looks.byServer(looked, about))
        : volunteers.measure({
            ...{ ticket, done: stepsDone(upload), sender, frame, other, batches: about.batches },
            tokens: Math.round(this.#costOf(upload, about)),
            byServer: (delta, seed) =>
              this.urgent(async () => {
                const text = await this.#looks.tokensOf(other);
                return this.#looks.byServer(looked, about, { delta, seed, other: text });
              }),
          });
    const costOf = (about: Look) => (about.own ? 1 : PLACES) * this.#costOf(upload, about);
    const purse = this.#purseFor(upload, whose, costOf);
    const verdict = await this.#looks.judge(look, stepsOf(upload), purse, verdictOf, this.#against(ticket));
    if (verdict !== undefined) await this.#tell(ticket, verdict);
  }

  #against({ volunteer }: Pick<Ticket, "volunteer">): string | undefined {
    return weightsAgainst(standingOf(this.#options.state().trust, volunteer));
  }

  /** Tokens of training that a look at an upload's delta costs whoever makes it. */
  #costOf(upload: Upload, look: Look): number {
    const { context } = this.#options;
    const { batch, fresh } = upload.ticket;
    return lookCost(look, batch * context, uploadTokens(upload, context), fresh);
  }

  #purseFor(upload: Upload, whose: Plan["whose"], cost: (look: Look) => number, must = false): Purse {
    const budget = this.#budgetFor(uploadTokens(upload, this.#options.context));
    return this.#queue.open(purseOf(budget, whose, cost, must));
  }

  async #tell(
    { id: ticket, volunteer }: Pick<Ticket, "id" | "volunteer">,
    verdict: Verdict & Pick<Audited, "on">,
  ): Promise<void> {
    try {
      const found = { ...verdict, ...forfeitOf(verdict) };
      if (!this.#queue.stopped) await this.#options.record({ type: "audited", ticket, volunteer, ...found });
    } catch (error) {
      this.#options.failed(error);
    }
  }
}

const stepsOf = (upload: Upload): Steps => ({ done: stepsDone(upload), asked: upload.ticket.steps });

const lookedOf = (upload: Upload, weights: Looked["weights"]): Looked => ({
  ...{ ticket: { ...upload.ticket, done: stepsDone(upload) }, weights },
  ...{ frame: upload.frame, shard: upload.ticket.shard },
});
