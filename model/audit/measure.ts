import type { CodecSpec } from "../../protocol/codec/codec.ts";
import type { RoundTrip } from "../../protocol/round-trip.ts";
import type { Change, Measured } from "../../protocol/shared-audit.ts";
import type { TicketTerms } from "../../protocol/ticket.ts";
import type { Trainer } from "../contract/trainer.ts";
import { batchesOf, type Range } from "../data/batches.ts";

/** One delta to examine. `done` is how many of its ticket's steps it is made of; absent: all. */
export interface AuditJob {
  readonly ticket: Range & Pick<TicketTerms, "rates" | "fresh" | "inner"> & { readonly done?: number };
  /** The shard that the ticket names. */
  readonly shard: Uint16Array;
  /** The weights of its version, flat. */
  readonly weights: Float32Array;
  /** Decoded. */
  readonly delta: Float32Array;
  /** The codec that it was sent in. */
  readonly codec: CodecSpec;
  /** Draws the text to look at: nobody can know it before. */
  readonly seed: number;
  /** Micro-batches to look at, of its own text and as many of gate text. */
  readonly batches: number;
  /** Whether to compare it with the server's own delta for the ticket. */
  readonly own?: boolean;
  /** Whether to see only how much its own text gains by either: in one micro-batch of the other text, and trained once. */
  readonly effort?: true;
  /** Whether the ticket is trained once, and how steady its course is stays unknown. */
  readonly once?: true;
  /** Text to look at in place of gate text: of an audit that volunteers make. */
  readonly other?: Uint16Array;
}

/** The part of a trainer that an audit needs. */
export type MeasuringTrainer = Pick<Trainer, "load" | "step" | "evaluate" | "delta" | "extract">;

/** What an audit of the server's own measures beside. */
export interface OwnMeasured extends Measured {
  /** Of a recomputed ticket: 1 − the cosine with what comes of weights that are off by rounding. */
  readonly unsteadiness?: number;
  /** The effect of a delta that was made of the ticket here. */
  readonly own?: Pick<Measured, "assigned" | "gate">;
  /** The cosine of the two, where its course is known. */
  readonly cosine?: number;
}

/**
 * Measures a delta's effect on the loss of its own text and of other text; a fresh ticket's delta is also recomputed. With a
 * trainer whose bits are the same everywhere, so is every number: only + − × ÷ √ in a fixed order make one of its losses.
 */
export async function measureDelta(
  trainer: MeasuringTrainer,
  gate: Uint16Array,
  context: number,
  job: AuditJob,
  roundTrip: RoundTrip,
): Promise<OwnMeasured> {
  const { ticket, shard, weights, delta, seed } = job;
  const { batch } = ticket;
  const own = [...batchesOf(shard, ticket, context)].slice(0, ticket.done);
  const count = Math.min(job.batches, own.length);
  const assigned = Array.from({ length: count }, (_, i) => own[(seed + i) % own.length]!);
  const seen = job.effort ? assigned.slice(0, 1) : assigned;
  const others = seen.map((_, i) => gateBatch(gate, context, batch, (seed + i) >>> 0));
  // Sequence by sequence: by how much they differ one knows what chance does.
  const lossesOf = async (batches: readonly Uint16Array[]) => {
    const losses: number[] = [];
    for (const tokens of batches) {
      for (let at = 0; at < tokens.length; at += context + 1) {
        losses.push(await trainer.evaluate(tokens.subarray(at, at + context + 1), 1));
      }
    }
    return losses;
  };
  const measure = async (at: Float32Array) => {
    await trainer.load(at);
    return { assigned: await lossesOf(assigned), gate: await lossesOf(others) };
  };
  const before = await measure(weights);
  const does = async (change: Float32Array) => {
    const after = await measure(weights.map((value, i) => value - change[i]!));
    return {
      assigned: changeOf(before.assigned, after.assigned),
      gate: changeOf(before.gate, after.gate),
    };
  };
  const found = await does(delta);
  if (!ticket.fresh && !job.own) return found;
  const { whole, early } = await recompute(trainer, weights, own, ticket, roundTrip, ticket.fresh);
  const recomputed = early && {
    distance: 1 - cosine(delta, whole),
    shortened: 1 - cosine(early, whole),
    length: lengthOf(delta) / lengthOf(whole),
  };
  if (!job.own) return { ...found, ...recomputed };
  if (job.effort) return { ...found, ...recomputed, own: await does(whole) };
  const beside = { ...found, ...recomputed, own: await does(whole), cosine: cosine(delta, whole) };
  if (job.once) return beside;
  const nudged = await recompute(trainer, weights.map(nudge), own, ticket, roundTrip, false);
  return { ...beside, unsteadiness: 1 - cosine(whole, nudged.whole) };
}

/** A weight as off as another device's rounding may make it: by a millionth, this way and that. */
const nudge = (value: number, i: number): number => value * (1 + (i % 2 === 0 ? 1e-6 : -1e-6));

/** Means over sequences, and the standard error of what lies between them. Of a single one nothing is certain. */
function changeOf(before: readonly number[], after: readonly number[]): Change {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const differences = before.map((value, i) => value - after[i]!);
  const { length } = differences;
  const middle = mean(differences);
  const spread = Math.sqrt(differences.reduce((sum, value) => sum + (value - middle) * (value - middle), 0));
  const error = length < 2 ? Math.abs(middle) : spread / Math.sqrt(length * (length - 1));
  return { before: mean(before), after: mean(after), error };
}

/** Steps left out of a shortened ticket, as a part of all of them; at least one. */
const LEFT_OUT = 1 / 4;

/**
 * The delta of a fresh ticket as the server trains it: without moments and residual, and through the same codec. `early`
 * is what it was before the last quarter of the steps, where that is asked for.
 */
async function recompute(
  trainer: MeasuringTrainer,
  weights: Float32Array,
  batches: readonly Uint16Array[],
  { batch, rates }: AuditJob["ticket"],
  { codec, ofValues, ofPayload }: RoundTrip,
  shortened: boolean,
): Promise<{ readonly whole: Float32Array; readonly early?: Float32Array }> {
  const end = batches.length - Math.max(1, Math.floor(batches.length * LEFT_OUT));
  await trainer.load(weights);
  let early: Float32Array | undefined;
  for (const [step, tokens] of batches.entries()) {
    if (shortened && step === end) early = ofValues(await trainer.delta());
    await trainer.step(tokens, batch, rates[step]!);
  }
  const whole = ofPayload(await trainer.extract(codec));
  return { whole, ...(early && { early }) };
}

function gateBatch(gate: Uint16Array, context: number, batch: number, seed: number): Uint16Array {
  const range = { window: seed, seed: seed >>> 0, steps: 1, batch };
  return batchesOf(gate, range, context).next().value ?? new Uint16Array();
}

const lengthOf = (values: Float32Array): number =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

function cosine(a: Float32Array, b: Float32Array): number {
  let [product, one, other] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    product += a[i]! * b[i]!;
    one += a[i]! * a[i]!;
    other += b[i]! * b[i]!;
  }
  return one === 0 || other === 0 ? 0 : product / Math.sqrt(one * other);
}
