import type { Hash, TicketId } from "../../protocol/ids.ts";
import { blameOf, excused, lookCost, type Verdict, verdictOf } from "../trust/audit.ts";
import { type Budget, type Look, purseOf } from "../trust/budget.ts";
import { standingOf, trusted } from "../trust/standing.ts";
import type { AuditQueue } from "./audit-queue.ts";
import type { Looks, LooksOptions } from "./looks.ts";
import type { Blamed, Merged } from "./recent-deltas.ts";

/** Deltas in doubt that wait, at most: beyond it the newest are not audited. */
const MAX_DOUBTED = 8;

export interface MergedAuditsOptions extends Pick<LooksOptions, "state"> {
  readonly context: number;
  readonly queue: AuditQueue;
  readonly looks: Pick<Looks, "judge" | "byServer">;
  /** The budget, which begins with tickets of this many tokens where there is none yet. */
  readonly budget: (tokens: number) => Budget;
  /** The weights of a version that is kept, or undefined. */
  readonly weights: (hash: Hash) => Promise<Float32Array<ArrayBuffer> | undefined>;
  /** `on`: the weights of a roll-back that it was looked at on. */
  readonly tell: (one: Pick<Merged, "ticket" | "volunteer">, verdict: Verdict, on?: Hash) => Promise<void>;
}

/** Audits of deltas that are in the model already: for a roll-back, or since they seem to have done harm there. */
export class MergedAudits {
  readonly #options: MergedAuditsOptions;
  /** Tickets that a roll-back put in, and that are being audited for one. */
  readonly #blamed = new Set<TicketId>();
  #doubted = 0;

  constructor(options: MergedAuditsOptions) {
    this.#options = options;
  }

  /**
   * After a roll-back: audits what was merged since the version whose weights came back, one by one on those weights,
   * whatever it costs. A volunteer that harmed the model is found bad, and one whose deltas help there is trusted again. A
   * delta that waits already is not put in again.
   */
  blame(merged: readonly Blamed[]): void {
    const { queue, weights: weightsOf } = this.#options;
    // Held until all are audited: a run that goes on may let go of the version meanwhile.
    const weights = new Map<Hash, Promise<Float32Array | undefined>>();
    for (const one of merged) {
      if (this.#blamed.has(one.ticket)) continue;
      this.#blamed.add(one.ticket);
      const at = weights.get(one.on) ?? weightsOf(one.on);
      at.catch(() => {}); // the audit that uses them gets the error
      weights.set(one.on, at);
      const reaudit = () => this.#reaudit(one, at).finally(() => this.#blamed.delete(one.ticket));
      queue.put(reaudit, "inquiry");
    }
  }

  /** One that seems to have done harm is audited like those that are drawn by chance, out of the veterans' half. */
  doubt(one: Merged): void {
    const { queue } = this.#options;
    if (queue.stopped || this.#doubted >= MAX_DOUBTED) return;
    this.#doubted += 1;
    queue.put(() => this.#audit(one).finally(() => (this.#doubted -= 1)));
  }

  async #audit(one: Merged): Promise<void> {
    const { state, tell } = this.#options;
    // Whoever is not trusted any more is audited as it is, or shut out.
    if (!trusted(standingOf(state().trust, one.volunteer))) return;
    const [weights, frame] = [await one.origin(), await one.frame()];
    if (weights === undefined || frame === undefined) return;
    const verdict = await this.#look(one, frame, weights, verdictOf, false);
    if (verdict !== undefined) await tell(one, verdict);
  }

  async #reaudit(one: Blamed, at: Promise<Float32Array | undefined>): Promise<void> {
    const { on, origin, open } = one;
    if (!open()) return;
    const [weights, frame] = [await at, await one.frame()];
    if (weights === undefined || frame === undefined) return;
    const blamed = await this.#look(one, frame, weights, blameOf, true, on);
    if (blamed === undefined) return;
    const made = blamed.verdict === "bad" ? await origin() : undefined;
    const verdict = excused(blamed, made && (await this.#look(one, frame, made, verdictOf, true)));
    await this.#options.tell(one, verdict, on);
  }

  /** `on`: what is known of these weights (trust/learning.ts). */
  #look(
    { range }: Pick<Merged, "range">,
    frame: Uint8Array<ArrayBuffer>,
    weights: Float32Array,
    judge: typeof verdictOf,
    must: boolean,
    on?: Hash,
  ): Promise<Verdict | undefined> {
    const { context, looks, queue, budget } = this.#options;
    const batchTokens = range.batch * context;
    const tokens = range.done * batchTokens;
    const cost = (look: Look) => lookCost(look, batchTokens, tokens, false);
    // Out of the veterans' half, whose deltas most of these are: what strangers send meanwhile is audited as ever.
    const purse = queue.open(purseOf(budget(tokens), "veteran", cost, must));
    const ticket = { ...range, rates: [], fresh: false };
    const looked = { ticket, frame, weights: async () => weights, shard: range.shard };
    const steps = { done: range.done, asked: range.steps };
    return looks.judge((about) => looks.byServer(looked, about), steps, purse, judge, on);
  }
}
