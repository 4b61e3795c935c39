import type { Trainer } from "../../model/contract/trainer.ts";
import type { Random } from "../../model/lib/random.ts";
import { codecIn, decodeFrame } from "../../protocol/frame.ts";
import type { VolunteerKey } from "../../protocol/ids.ts";
import { ticketTokens } from "../../protocol/ticket.ts";
import type { Audited, Sampled } from "../../server/coordinator/events.ts";
import type { State } from "../../server/coordinator/state.ts";
import { effectsOf } from "../../server/evaluate/effects.ts";
import { examine } from "../../server/evaluate/examine.ts";
import type { Vectors } from "../../server/merge/vectors.ts";
import { blamedFor, effectOf, samplePlan } from "../../server/run/harm-samples.ts";
import { scaledBy } from "../../server/run/looks.ts";
import { MAX_BLAMED } from "../../server/run/recent-deltas.ts";
import {
  blameOf,
  excused,
  lookCost,
  lookInto,
  type Verdict,
  verdictOf,
  verdictOfOdd,
} from "../../server/trust/audit.ts";
import { type Budget, HALVES, type Look, purseOf } from "../../server/trust/budget.ts";
import type { Candidate } from "../../server/trust/candidate.ts";
import { doubtedOf } from "../../server/trust/doubt.ts";
import { Learning, weightsAgainst } from "../../server/trust/learning.ts";
import type { Part } from "../../server/trust/places.ts";
import { type Plan, planOf } from "../../server/trust/plan.ts";
import { creditLost, FORFEITED, isSuspected, standingOf, trusted } from "../../server/trust/standing.ts";
import { clipFor } from "../../server/trust/weigh.ts";
import type { Kept } from "./kept.ts";

export interface BenchAuditsOptions {
  readonly auditor: Trainer;
  /** Looks at one delta: a trainer with the inner optimiser of tickets. */
  readonly examiner: Trainer;
  readonly gate: Uint16Array;
  readonly context: number;
  readonly batch: number;
  readonly parameters: number;
  /** Parts of the model whose effects are measured apart. */
  readonly parts: readonly Part[];
  readonly budget: Budget;
  readonly random: Random;
  readonly state: () => State;
  readonly weightsOf: (version: number) => Float32Array;
  /** An accepted delta by its ticket. */
  readonly keptOf: (ticket: string) => Kept;
  /** A volunteer's newest accepted deltas, so many of them. */
  readonly newestOf: (volunteer: VolunteerKey, most: number) => readonly Kept[];
  /** Part of the volunteers' training that audits may cost. */
  readonly auditShare: number;
  readonly record: (event: Omit<Audited, "at"> | Omit<Sampled, "at">) => Promise<void>;
}

/** How a delta is looked at, and on which version's weights. */
interface Looking {
  readonly whose: Plan["whose"];
  readonly version: number;
  readonly judge: typeof verdictOf;
  readonly on: string | undefined;
  readonly must: boolean;
  readonly fresh: boolean;
  readonly scale: number;
}

/**
 * The product's rules for audits, without its thread: what is due waits until it is made. The caller has that done
 * while others' deltas wait: a verdict that alone makes a version would have attacks look worse than they are.
 */
export class BenchAudits {
  /** By who and why. */
  readonly verdicts: Record<string, number> = {};
  readonly #options: BenchAuditsOptions;
  readonly #waiting: (() => Promise<void>)[] = [];
  readonly #learning = new Learning();

  constructor(options: BenchAuditsOptions) {
    this.#options = options;
  }

  /** Considers a delta that is just being accepted. */
  consider(one: Kept, delta: Candidate): void {
    const { random, state } = this.#options;
    const { pool, trust } = state();
    const plan = planOf(delta, one.ticket.fresh, pool, trust);
    if (random.unit() >= plan.chance) return;
    const scale = clipFor(delta, pool, trust);
    const must = plan.first === true && this.#options.budget.takeFirst();
    this.#waiting.push(() => this.#audit(one, plan, scale, must));
  }

  /** Considers a version that was just published: what did its deltas do? */
  weigh(version: number, merged: readonly Kept[], { x: before }: Vectors, { x: after }: Vectors): void {
    const { auditor, gate, context, batch, budget, random, record, state } = this.#options;
    const tokens = merged.reduce((sum, { ticket }) => sum + ticketTokens(ticket, context), 0);
    const suspected = (cost: number) =>
      HALVES.some((half) => budget.affords(cost, half)) &&
      merged.some(({ ticket }) => isSuspected(standingOf(state().trust, ticket.volunteer)));
    const { batches, chance } = samplePlan(tokens, this.#options.auditShare, batch * context, suspected);
    if (random.unit() >= chance) return;
    if (!budget.spendFirst(batches * batch * context)) return;
    this.#waiting.push(async () => {
      const weights = after.map((value, i) => (value + before[i]!) / 2);
      const frames = merged.map(({ frame }) => frame);
      const job = { weights, frames, parts: this.#options.parts, batch, batches, seed: random.u32() };
      const found = await effectsOf(auditor, gate, context, job);
      const effects = merged.map(({ ticket: { id: ticket, volunteer } }, i) => {
        return { ticket, volunteer, ...effectOf(found[i]!) };
      });
      const doubted = doubtedOf(state().trust, effects);
      await record({ type: "sampled", version, effects });
      for (const { ticket, ...verdict } of blamedFor({ effects }, state())) {
        await this.#tell(this.#options.keptOf(ticket), verdict, { why: "slow harm" });
      }
      for (const ticket of doubted) this.#waiting.push(() => this.#doubt(this.#options.keptOf(ticket)));
    });
  }

  /** A delta that seems to have done harm where it was merged. */
  async #doubt(one: Kept): Promise<void> {
    const { version, volunteer } = one.ticket;
    if (!trusted(standingOf(this.#options.state().trust, volunteer))) return;
    const usual = { whose: "veteran", must: false, fresh: false, scale: 1 } as const;
    const found = await this.#look(one, { ...usual, version, judge: verdictOf, on: undefined });
    if (found !== undefined) await this.#tell(one, found, { why: `${found.reason}, doubted` });
  }

  /** Takes the audits that wait by now, to be made when that is called. */
  due(): () => Promise<void> {
    const due = this.#waiting.splice(0);
    return async () => {
      for (const audit of due) await audit();
    };
  }

  /** The run went back to `to`: looks at the newest of what was merged since on its weights, whatever it costs. */
  async blame(merged: readonly Kept[], to: number): Promise<void> {
    for (const one of merged.toReversed().slice(0, MAX_BLAMED)) {
      const usual = { whose: "veteran", must: true, fresh: false, scale: 1 } as const;
      const found = await this.#look(one, { ...usual, version: to, judge: blameOf, on: `version ${to}` });
      if (found === undefined) continue;
      const { version } = one.ticket;
      const again = () => this.#look(one, { ...usual, version, judge: verdictOf, on: undefined });
      const verdict = found.verdict === "bad" ? excused(found, await again()) : found;
      await this.#tell(one, verdict, { forfeits: 0 });
    }
  }

  async #audit(one: Kept, { whose, odd }: Plan, scale: number, must: boolean): Promise<void> {
    const waiting = this.#options.state().pool.find(({ ticket }) => ticket === one.ticket.id);
    // A fresh ticket's is recomputed instead.
    if (waiting?.facts?.copies !== undefined && !one.ticket.fresh)
      return this.#tell(one, { verdict: "bad", reason: "copy" });
    const judge = scale < 1 || odd ? verdictOfOdd : verdictOf;
    const { version, volunteer, fresh } = one.ticket;
    const on = weightsAgainst(standingOf(this.#options.state().trust, volunteer));
    const found = await this.#look(one, { whose, version, judge, on, must, fresh, scale });
    if (found !== undefined) await this.#tell(one, found);
  }

  #look(
    { ticket, member, frame }: Kept,
    { whose, version, judge, on, must, fresh, scale }: Looking,
  ): Promise<Verdict | undefined> {
    const { examiner, gate, context, batch, parameters, budget, random, state } = this.#options;
    const merged = fresh ? 1 : scale;
    const cost = (look: Look) => lookCost(look, batch * context, ticketTokens(ticket, context), fresh);
    return lookInto(
      (look) =>
        examine(examiner, gate, context, {
          ticket: { ...ticket, fresh },
          shard: member.text,
          weights: this.#options.weightsOf(version),
          delta: scaledBy(merged, decodeFrame(frame, parameters)),
          codec: codecIn(frame, parameters),
          seed: random.u32(),
          ...look,
        }),
      purseOf(budget, whose, cost, must),
      (evidence) => {
        const verdict = judge(evidence, ticket.steps, state().trust);
        if (evidence.unsteadiness !== undefined) this.#learning.note(verdict, on, state());
        return verdict;
      },
      this.#learning.on(on, state()),
    );
  }

  async #tell(
    one: Kept,
    verdict: Verdict,
    { why = verdict.reason, forfeits = FORFEITED }: { why?: string; forfeits?: number } = {},
  ): Promise<void> {
    const { keptOf, newestOf, record, state } = this.#options;
    const { id: ticket, volunteer } = one.ticket;
    const who = one.member.attack === undefined ? "honest" : "attacker";
    const name = `${who} ${verdict.verdict}: ${why}`;
    this.verdicts[name] = (this.verdicts[name] ?? 0) + 1;
    if (verdict.verdict === "bad") {
      one.revoked = true;
      for (const other of creditLost(standingOf(state().trust, volunteer))) keptOf(other).revoked = true;
      if (forfeits > 0) for (const other of newestOf(volunteer, forfeits)) other.revoked = true;
    }
    const { verdict: found, reason, gain } = verdict;
    const about = { verdict: found, reason, ...(gain !== undefined && { gain }) };
    await record({ type: "audited", ticket, volunteer, ...about });
  }
}
