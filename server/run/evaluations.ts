import { isDeepStrictEqual } from "node:util";
import { MAX_LOSS } from "../../protocol/limits.ts";
import type { Evaluation, Evaluator, Helpers, ModelPlace } from "../evaluate/ports.ts";
import type { Log } from "../lib/log.ts";

export interface Measured extends Evaluation {
  readonly version: number;
  readonly tokens: number;
}

/**
 * Held-out evaluation beside the run: one version at a time, and of those that wait only the newest. Nobody
 * waits for it; a measurement that fails is logged and left out.
 */
export class Evaluations {
  readonly #evaluator: Evaluator;
  readonly #measured: (result: Measured) => void;
  readonly #log: Log;
  readonly #helpers: Helpers | undefined;
  readonly #isOdd: (loss: number) => boolean;
  #busy = false;
  #waiting: Offer | undefined;

  /** `isOdd`: a loss of which another server's word is not enough. */
  constructor(
    evaluator: Evaluator,
    measured: (result: Measured) => void,
    log: Log,
    helpers?: Helpers,
    isOdd: (loss: number) => boolean = () => true,
  ) {
    this.#helpers = helpers;
    this.#isOdd = isOdd;
    this.#evaluator = evaluator;
    this.#measured = measured;
    this.#log = log;
  }

  offer(offer: Offer): void {
    this.#waiting = offer;
    if (!this.#busy) void this.#work();
  }

  /** Forgets what waits. */
  stop(): void {
    this.#waiting = undefined;
  }

  async #work(): Promise<void> {
    this.#busy = true;
    for (let next = this.#waiting; next !== undefined; next = this.#waiting) {
      this.#waiting = undefined;
      try {
        const { loss, added, ...wrote } = await this.#measure(next);
        // Refused here and not where it is read: a journal that holds such a loss is of no use to anybody.
        if (!(loss >= 0 && loss < Number.POSITIVE_INFINITY)) throw new RangeError(`a loss of ${loss}`);
        const bounded = Math.min(loss, MAX_LOSS);
        // Of text that a tokenizer spells oddly it may be no number: the measurement of the run's own stands.
        const more = added !== undefined && added >= 0 && { added: Math.min(added, MAX_LOSS) };
        this.#measured({ version: next.version, tokens: next.tokens, loss: bounded, ...more, ...wrote });
      } catch (error) {
        this.#log.warn({ error: String(error) }, "a version could not be evaluated");
      }
    }
    this.#busy = false;
  }

  /** By another server where one does it in time. What is odd is measured here too, and that counts. */
  async #measure({ version, weights, place }: Offer): Promise<Evaluation> {
    const model = this.#helpers && (await place?.().catch(() => undefined));
    const found = model && (await this.#helpers?.evaluate(model));
    if (found !== undefined && !this.#isOdd(found.evaluation.loss)) return found.evaluation;
    const own = await this.#evaluator.evaluate(version, weights);
    const same = ({ loss, added, right }: Evaluation) => [loss, added, right];
    if (found !== undefined && !isDeepStrictEqual(same(found.evaluation), same(own)))
      this.#helpers?.distrust(found.who);
    return own;
  }
}

interface Offer {
  readonly version: number;
  /** All tokens merged into it. */
  readonly tokens: number;
  readonly weights: Float32Array<ArrayBuffer>;
  /** Where they are stored, for others to read. */
  readonly place?: () => Promise<ModelPlace | undefined>;
}
