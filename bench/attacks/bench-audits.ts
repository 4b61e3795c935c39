import type { Trainer } from "../../model/contract/trainer.ts";
import type { Random } from "../../model/lib/random.ts";
import { codecIn, decodeFrame } from "../../protocol/frame.ts";
import { ticketTokens } from "../../protocol/ticket.ts";
import type { Audited } from "../../server/coordinator/events.ts";
import type { State } from "../../server/coordinator/state.ts";
import { examine } from "../../server/evaluate/examine.ts";
import { MAX_BLAMED } from "../../server/run/recent-deltas.ts";
import {
  blameOf,
  excused,
  lookCost,
  lookInto,
  type Plan,
  planOf,
  type Verdict,
  verdictOf,
} from "../../server/trust/audit.ts";
import { type Budget, type Look, purseOf } from "../../server/trust/budget.ts";
import type { Candidate } from "../../server/trust/candidate.ts";
import { Learning, NEWEST } from "../../server/trust/learning.ts";
import { standingOf } from "../../server/trust/standing.ts";
import type { Kept } from "./kept.ts";

export interface BenchAuditsOptions {
  readonly auditor: Trainer;
  readonly gate: Uint16Array;
  readonly context: number;
  readonly batch: number;
  readonly parameters: number;
  readonly budget: Budget;
  readonly random: Random;
  readonly state: () => State;
  readonly weightsOf: (version: number) => Float32Array;
  /** An accepted delta by its ticket. */
  readonly keptOf: (ticket: string) => Kept;
  readonly record: (event: Omit<Audited, "at">) => Promise<void>;
}

/**
 * The product's rules for audits, without its thread: what is due waits until it is made. The caller has that done
 * while others' deltas wait: a verdict that alone makes a version would have attacks look worse than they are.
 */
export class BenchAudits {
  /** By who and why. */
  readonly verdicts: Record<string, number> = {};
  readonly #options: BenchAuditsOptions;
  readonly #waiting: { readonly one: Kept; readonly whose: Plan["whose"] }[] = [];
  readonly #learning = new Learning();

  constructor(options: BenchAuditsOptions) {
    this.#options = options;
  }

  /** Considers a delta that is just being accepted. */
  consider(one: Kept, delta: Candidate): void {
    const { random, state } = this.#options;
    const { pool, trust } = state();
    const { chance, whose } = planOf(delta, one.ticket.fresh, pool, trust);
    if (random.unit() < chance) this.#waiting.push({ one, whose });
  }

  /** Takes the audits that wait by now, to be made when that is called. */
  due(): () => Promise<void> {
    const due = this.#waiting.splice(0);
    return async () => {
      for (const { one, whose } of due) await this.#audit(one, whose);
    };
  }

  /** The run went back to `to`: looks at the newest of what was merged since on its weights, whatever it costs. */
  async blame(merged: readonly Kept[], to: number): Promise<void> {
    for (const one of merged.toReversed().slice(0, MAX_BLAMED)) {
      const found = await this.#look(one, "veteran", to, blameOf, `version ${to}`, true);
      if (found === undefined) continue;
      const again = () => this.#look(one, "veteran", one.ticket.version, verdictOf, undefined, true);
      await this.#tell(one, found.verdict === "bad" ? excused(found, await again()) : found);
    }
  }

  async #audit(one: Kept, whose: Plan["whose"]): Promise<void> {
    const waiting = this.#options.state().pool.find(({ ticket }) => ticket === one.ticket.id);
    if (waiting?.facts?.copies !== undefined) return this.#tell(one, { verdict: "bad", reason: "copy" });
    const found = await this.#look(one, whose, one.ticket.version, verdictOf, NEWEST, false);
    if (found !== undefined) await this.#tell(one, found);
  }

  #look(
    { ticket, member, frame }: Kept,
    whose: Plan["whose"],
    version: number,
    judge: typeof verdictOf,
    on: string | undefined,
    must: boolean,
  ): Promise<Verdict | undefined> {
    const { auditor, gate, context, batch, parameters, budget, random, state } = this.#options;
    const fresh = ticket.fresh && !must;
    const cost = (look: Look) => lookCost(look, batch * context, ticketTokens(ticket, context), fresh);
    return lookInto(
      (look) =>
        examine(auditor, gate, context, {
          ticket: { ...ticket, fresh },
          shard: member.text,
          weights: this.#options.weightsOf(version),
          delta: decodeFrame(frame, parameters),
          codec: codecIn(frame, parameters),
          seed: random.u32(),
          ...look,
        }),
      purseOf(budget, whose, cost, must),
      (evidence) => {
        const verdict = judge(evidence, ticket.steps, state().trust);
        if (evidence.own !== undefined) this.#learning.note(verdict, on, state());
        return verdict;
      },
      this.#learning.on(on, state()),
    );
  }

  async #tell(one: Kept, verdict: Verdict): Promise<void> {
    const { keptOf, record, state } = this.#options;
    const { id: ticket, volunteer } = one.ticket;
    const who = one.member.attack === undefined ? "honest" : "attacker";
    const name = `${who} ${verdict.verdict}: ${verdict.reason}`;
    this.verdicts[name] = (this.verdicts[name] ?? 0) + 1;
    if (verdict.verdict === "bad") {
      one.revoked = true;
      for (const other of standingOf(state().trust, volunteer).unproven) keptOf(other).revoked = true;
    }
    await record({ type: "audited", ticket, volunteer, ...verdict });
  }
}
