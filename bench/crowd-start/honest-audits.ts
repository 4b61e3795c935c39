import type { Random } from "../../model/lib/random.ts";
import { type Upload, uploadTokens } from "../../protocol/upload.ts";
import { lookCost, payToBegin } from "../../server/trust/audit.ts";
import { type Budget, type Look, purseOf } from "../../server/trust/budget.ts";
import { firstBudget } from "../../server/trust/first-budget.ts";
import { planOf } from "../../server/trust/plan.ts";
import type { VirtualClock } from "../learning/clock.ts";
import type { Service } from "../learning/service.ts";

export interface HonestAuditsOptions {
  readonly clock: VirtualClock;
  readonly service: Pick<Service, "settings" | "state" | "tell">;
  readonly random: Random;
  /** Milliseconds that training one token takes the auditor's thread. */
  readonly tokenMs: number;
}

/** The two looks that a stranger's audit is paid for; the second is given back. */
const FIRST: Look = { batches: 1, own: false };
const SECOND: Look = { batches: 2, own: false };

/**
 * The audits of a run whose volunteers are all honest, for the time that they take: the product's plan and budget say which are
 * made, one thread makes them one after another, and each finds its delta good at the first look.
 */
export class HonestAudits {
  readonly #options: HonestAuditsOptions;
  readonly #waiting: (() => void)[] = [];
  #budget: Budget | undefined;
  #busy = false;
  made = 0;

  constructor(options: HonestAuditsOptions) {
    this.#options = options;
  }

  consider(upload: Upload): void {
    const { service, random } = this.#options;
    const { ticket } = upload;
    const { model, trust: wanted } = service.settings;
    const batchTokens = ticket.batch * model.context;
    const tokens = uploadTokens(upload, model.context);
    this.#budget ??= firstBudget(wanted.auditShare, { tokens, batchTokens });
    const budget = this.#budget;
    budget.earn(tokens);
    const { id, volunteer, version, fresh } = ticket;
    const { pool, trust } = service.state;
    const plan = planOf({ ticket: id, volunteer, version, tokens }, fresh, pool, trust);
    if (random.unit() >= plan.chance) return;
    const must = plan.first === true && budget.takeFirst();
    const cost = (look: Look) => lookCost(look, batchTokens, tokens, fresh);
    this.#waiting.push(() => {
      const purse = purseOf(budget, plan.whose, cost, must);
      if (!payToBegin(purse, FIRST, SECOND)) return this.#done();
      if (purse.reserves) purse.refund(SECOND);
      this.#options.clock.after(cost(FIRST) * this.#options.tokenMs, () => {
        this.made += 1;
        service.tell({ type: "audited", ticket: id, volunteer, verdict: "good", reason: "gain" });
        this.#done();
      });
    });
    if (!this.#busy) this.#done();
  }

  /** Goes on with whatever waits. */
  #done(): void {
    const next = this.#waiting.shift();
    this.#busy = next !== undefined;
    next?.();
  }
}
