import { addFrame } from "../../protocol/frame.ts";
import type { Sampled } from "../coordinator/events.ts";
import type { State } from "../coordinator/state.ts";
import type { Auditor } from "../evaluate/ports.ts";
import type { Log } from "../lib/log.ts";
import type { Store } from "../store/store.ts";
import { doubtedOf } from "../trust/doubt.ts";
import { partsOf } from "../trust/parts.ts";
import { type DeltaEffect, doesHarm, FORFEITED, isSuspected, standingOf } from "../trust/standing.ts";
import type { Audits } from "./audits.ts";
import type { AuditedRun } from "./audits-of.ts";
import { numbersFrom } from "./draws.ts";
import type { RunOptions } from "./options.ts";
import type { Late, Merged } from "./recent-deltas.ts";
import { decodeRecord } from "./record.ts";

/** Part of what audits may cost that these measurements take where nobody is suspected. */
const SHARE = 1 / 4;
/** Micro-batches of gate text: more tell more, and less often where they cost more than that share. */
const MAX_BATCHES = 4;
/** Deltas of one version that are measured: each is decoded for it. */
const MAX_DELTAS = 32;

export interface HarmSamplesParts {
  readonly run: AuditedRun;
  readonly audits: Audits;
  readonly store: Pick<Store, "read">;
  readonly auditShare: number;
  /** A number nobody can guess, in [0, 2³²). */
  readonly draw: () => number;
  readonly log: Log;
}

/** A version that was just published, and how it came about. */
export interface Made {
  readonly version: number;
  /** Its weights and the diff that leads to them, or undefined where they are not kept. */
  weights(): Promise<Float32Array | undefined>;
  diff(): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** The deltas that were merged into it, and what an audit of one needs. */
  readonly merged: readonly Late[];
  lookAt(late: Late): Merged;
}

/** Of each delta, by its parts. */
type Effects = readonly (readonly number[])[];

type Ask = (
  cost: number,
  question: (auditor: Auditor) => Promise<Effects | undefined>,
) => Promise<Effects | undefined>;

/** The measurements of a run that has audits. */
export function samplesOf(run: AuditedRun, audits: Audits, { store, random, log }: RunOptions): HarmSamples {
  const { auditShare } = run.definition.settings.trust;
  return new HarmSamples({ run, audits, store, auditShare, draw: numbersFrom(random), log });
}

/**
 * How much text a version's deltas are measured on, and how likely; `tokens` are those trained for it. A version with a delta of
 * somebody `suspected` is measured surely and well, where what that costs can be afforded.
 */
export function samplePlan(
  tokens: number,
  auditShare: number,
  batchTokens: number,
  suspected: (cost: number) => boolean = () => false,
) {
  if (suspected(MAX_BATCHES * batchTokens)) return { batches: MAX_BATCHES, chance: 1 };
  const affordable = (SHARE * auditShare * tokens) / batchTokens;
  const batches = Math.max(1, Math.min(MAX_BATCHES, Math.floor(affordable)));
  return { batches, chance: Math.min(1, affordable / batches) };
}

/**
 * Measures what the deltas of some versions did to the loss on gate text, drawn by chance, so that nobody knows which; and
 * finds volunteers bad whose harm adds up (trust/slow-harm.ts). Audits look at one delta alone, and let anything pass
 * that keeps their bounds.
 */
export class HarmSamples {
  readonly #parts: HarmSamplesParts;
  /** Versions taken back that are being measured. */
  readonly #undone = new Set<number>();

  constructor(parts: HarmSamplesParts) {
    this.#parts = parts;
  }

  /** Considers a version; resolves when nothing more comes of it. */
  async consider(made: Made): Promise<void> {
    const { run, audits, auditShare, draw } = this.#parts;
    const { batch, context } = run.definition.rules;
    const tokens = made.merged.reduce((sum, late) => sum + late.tokens, 0);
    const { trust } = run.state;
    const suspected = (cost: number) =>
      audits.affords(cost) && made.merged.some(({ volunteer }) => isSuspected(standingOf(trust, volunteer)));
    const { batches, chance } = samplePlan(tokens, auditShare, batch * context, suspected);
    if (draw() / 2 ** 32 >= chance) return;
    const doubted = await this.#measure(made, batches, (cost, question) => audits.ask(cost, question));
    for (const late of doubted) audits.merged.doubt(made.lookAt(late));
  }

  /** Measures a version that a roll-back took back, whatever that costs: who did it has done more of it, as a rule. */
  async blame(made: Omit<Made, "lookAt">): Promise<void> {
    const { version } = made;
    if (this.#undone.has(version)) return;
    this.#undone.add(version);
    const { audits } = this.#parts;
    await this.#measure(made, MAX_BATCHES, (cost, question) => audits.inquire(cost, question));
    this.#undone.delete(version);
  }

  /** Resolves to the deltas that seem to have done harm. */
  async #measure(
    { version, weights, diff, merged }: Omit<Made, "lookAt">,
    batches: number,
    ask: Ask,
  ): Promise<readonly Late[]> {
    const { run, draw, log } = this.#parts;
    const { rules, task } = run.definition;
    const { batch, context } = rules;
    const parts = partsOf(task.tensors, task.parameters);
    const chosen = merged.length <= MAX_DELTAS ? merged : circular(merged, draw()).slice(0, MAX_DELTAS);
    try {
      const effects = await ask(batches * batch * context, async (auditor) => {
        const [end, step] = [await weights(), await diff()];
        if (end === undefined || step === undefined) return undefined;
        // Half-way: what a merge does is neither what it would do from where it begins nor from where it ends.
        const middle = end.slice();
        addFrame(step, middle, -0.5);
        const frames = await Promise.all(chosen.map(({ sequence }) => this.#frame(sequence)));
        if (frames.some(({ length }) => length === 0)) return undefined; // the journal holds them no more
        return auditor.effects({ weights: middle, frames, parts, batch, batches, seed: draw() });
      });
      if (effects !== undefined) return await this.#tell(version, chosen, effects);
    } catch (error) {
      log.warn({ error: String(error) }, "what a version's deltas did could not be measured");
    }
    return [];
  }

  async #frame(sequence: number): Promise<Uint8Array<ArrayBuffer>> {
    return decodeRecord(await this.#parts.store.read(sequence)).frame;
  }

  async #tell(version: number, chosen: readonly Late[], effects: Effects): Promise<readonly Late[]> {
    const { run } = this.#parts;
    const measured = chosen.flatMap(({ ticket, volunteer }, i) => {
      const found = effectOf(effects[i]!);
      return Number.isFinite(found.effect) ? [{ ticket, volunteer, ...found }] : [];
    });
    const doubted = doubtedOf(run.state.trust, measured);
    await run.record({ type: "sampled", at: run.now(), version, effects: measured });
    for (const event of blamedFor({ effects: measured }, run.state)) {
      await run.record({ ...event, at: run.now() });
    }
    return doubted.flatMap((id) => chosen.find(({ ticket }) => ticket === id) ?? []);
  }
}

/** A delta's effect as it is journaled: what its parts did, in four digits, and their sum. */
export function effectOf(parts: readonly number[]): Pick<DeltaEffect, "effect" | "parts"> {
  const effect = parts.reduce((sum, value) => sum + value, 0);
  return parts.length === 1
    ? { effect }
    : { effect, parts: parts.map((value) => Number(value.toPrecision(4))) };
}

/** Verdicts on whoever a sample, once it is applied, shows to do harm: one each, on its newest delta there. */
export function blamedFor({ effects }: Pick<Sampled, "effects">, { trust }: Pick<State, "trust">) {
  const newest = new Map(effects.map(({ volunteer, ticket }) => [volunteer, ticket]));
  return [...newest].flatMap(([volunteer, ticket]) => {
    if (!doesHarm(standingOf(trust, volunteer))) return [];
    const found = { verdict: "bad", reason: "harm", forfeits: FORFEITED } as const;
    return [{ type: "audited", ticket, volunteer, ...found } as const];
  });
}

/** The values from one that was drawn, as if they stood in a circle. */
function circular<T>(values: readonly T[], drawn: number): T[] {
  const first = drawn % values.length;
  return [...values.slice(first), ...values.slice(0, first)];
}
