import { isDeepStrictEqual } from "node:util";
import type { AuditJob } from "../../model/audit/measure.ts";
import { codecIn, decodeFrame } from "../../protocol/frame.ts";
import type { Hash } from "../../protocol/ids.ts";
import type { Rules } from "../coordinator/rules.ts";
import type { State } from "../coordinator/state.ts";
import type { Auditor, Helpers, ModelPlace } from "../evaluate/ports.ts";
import {
  type Evidence,
  lookInto,
  type Steps,
  type Verdict,
  type verdictOf,
  verdictOnPart,
} from "../trust/audit.ts";
import type { Look, Purse } from "../trust/budget.ts";
import { Learning } from "../trust/learning.ts";

/** One in this many measurements made elsewhere, in the mean, is made here as well. */
const CHECKED = 32;

export interface LooksOptions {
  readonly auditor: Auditor;
  /** Others that measure too. */
  readonly helpers?: Helpers | undefined;
  readonly parameters: number;
  /** A number nobody can guess, in [0, 2³²). */
  readonly draw: () => number;
  readonly state: () => State;
  /** Learning rates of this many steps of this many sequences when this many tokens are merged. */
  readonly rates: Rules["rates"];
  readonly shard: (hash: Hash) => Promise<Uint8Array<ArrayBuffer>>;
}

/** A delta to be looked at, and on which weights; it is unclear without them. */
export interface Looked extends Pick<AuditJob, "ticket"> {
  readonly weights: () => Promise<Float32Array | undefined>;
  readonly frame: Uint8Array<ArrayBuffer>;
  readonly shard: Hash;
  /** The part of it that is merged, for its size; absent: all. */
  readonly scale?: number;
  /** Where the weights are stored, so that others can read them; absent: only this server has them. */
  readonly model?: ModelPlace | undefined;
}

/** A delta as it is merged. */
export const scaledBy = (scale: number, delta: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> =>
  scale === 1 ? delta : delta.map((value) => scale * value);

/** Looks at deltas, one look after the other until it is clear what they are worth. */
export class Looks {
  readonly #options: LooksOptions;
  readonly #learning = new Learning();
  /** Measurements that were made elsewhere, and the way to make them again. */
  readonly #elsewhere = new WeakMap<Evidence, () => Promise<Evidence>>();

  constructor(options: LooksOptions) {
    this.#options = options;
  }

  /**
   * Undefined where it cannot be afforded. `on`: see {@link Learning}. What another server has measured costs nobody
   * anything: before a delta is found bad by it, it is measured again here.
   */
  async judge(
    look: (about: Look) => Promise<Evidence>,
    steps: Steps,
    purse: Purse,
    judge: typeof verdictOf,
    on: string | undefined,
  ): Promise<Verdict | undefined> {
    const { state } = this.#options;
    const judged = (evidence: Evidence) => {
      const { trust } = state();
      const verdict = verdictOnPart(judge(evidence, steps.done, trust), evidence, steps, trust);
      if (evidence.unsteadiness !== undefined) this.#learning.note(verdict, on, state());
      return verdict;
    };
    let last: Evidence | undefined;
    const seen = async (about: Look) => (last = await look(about));
    const verdict = await lookInto(seen, purse, judged, this.#learning.on(on, state()));
    const again = verdict?.verdict === "bad" && last !== undefined ? this.#elsewhere.get(last) : undefined;
    if (again === undefined) return verdict;
    const { little: _, ...sure } = judged(await again());
    return sure;
  }

  /**
   * One look by another server where one makes it in time, else by this one. Whatever compares with training that only this
   * server does, as is done before anybody is blamed, is this server's.
   */
  async bySomebody(looked: Looked, about: Look): Promise<Evidence> {
    const { helpers, draw } = this.#options;
    const { model, ticket, shard, frame, scale = 1 } = looked;
    if (helpers === undefined || model === undefined || about.own) return this.byServer(looked, about);
    const { batches } = about;
    const seed = draw();
    const here = () => this.byServer(looked, about, { seed });
    const found = await helpers.audit({ ticket, shard, frame, scale, model, seed, batches });
    if (found === undefined) return here();
    const again = async () => {
      const evidence = await here();
      if (!isDeepStrictEqual(evidence, found.evidence)) helpers.distrust(found.who);
      return evidence;
    };
    if (draw() % CHECKED === 0) return again();
    this.#elsewhere.set(found.evidence, again);
    return found.evidence;
  }

  /** One look by the server's own auditor; `what` says otherwise where volunteers make the same. */
  async byServer(
    { ticket, weights, frame, shard, scale = 1 }: Looked,
    about: Look,
    what: Partial<Pick<AuditJob, "delta" | "seed" | "other">> = {},
  ): Promise<Evidence> {
    const { auditor, parameters, draw } = this.#options;
    const { own } = about;
    const at = await weights();
    if (at === undefined) throw new Error("the version that the delta was made for is gone");
    return auditor.audit({
      ...{ weights: at, ...about, ticket: own ? { ...ticket, rates: this.#ratesOf(ticket) } : ticket },
      shard: await this.tokensOf(shard),
      delta: scaledBy(scale, decodeFrame(frame, parameters)),
      codec: codecIn(frame, parameters),
      seed: draw(),
      ...what,
    });
  }

  async tokensOf(shard: Hash): Promise<Uint16Array> {
    return new Uint16Array((await this.#options.shard(shard)).slice().buffer);
  }

  /** After a roll-back the ticket is gone: the delta is compared with training at today's rates. */
  #ratesOf({ rates, steps, batch, inner }: Looked["ticket"]): readonly number[] {
    const { state } = this.#options;
    return rates.length > 0 ? rates : this.#options.rates(state().tokens, steps, batch, inner);
  }
}
