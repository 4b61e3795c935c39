import { BATCH, CONFIGS, type ConfigName } from "../../client/benchmark/workload.ts";
import { flopsOf } from "../../model/engine/flops.ts";
import type { Contestant, Device, Job, Turn } from "./job.ts";
import type { Race } from "./plan.ts";

/** One line of the table: ours on so many threads, against the peers of the same race. */
export interface Row {
  readonly config: ConfigName;
  readonly device: Device;
  readonly threads: number;
  readonly runtime: string;
  readonly tokensPerSecond: number;
  /** Our tokens a second ÷ theirs; null where the peer did not run, or the gate did not open. */
  readonly ratioToJaxJs: number | null;
  readonly ratioToTfjs: number | null;
  readonly dispatchesPerStep: number;
  /** FLOP/s of a step ÷ threads ÷ one thread's fused multiply-adds at their best; null off the processor. */
  readonly fractionOfPeak: number | null;
  readonly parity: boolean;
}

export interface Taken {
  readonly job: Job;
  readonly turn: Turn;
}

/** What a race came to. `notes` are for the reader of the table. */
export interface Outcome {
  readonly rows: Row[];
  readonly notes: string[];
}

/** Largest difference in nats of the loss before anything was learnt, and of any later step's. */
const FIRST_LOSS = 1e-4;
const CURVE = 1e-3;

export function rowsOf({ config, device, jobs }: Race, runtime: string, taken: readonly Taken[]): Outcome {
  const of = (contestant: Contestant, threads = 1) =>
    taken.filter(({ job }) => job.contestant === contestant && job.threads === threads);
  const peers = { "jax-js": of("jax-js"), tfjs: of("tfjs") };
  const rows: Row[] = [];
  const notes: string[] = [];
  for (const threads of new Set(jobs.map((job) => job.threads))) {
    const ours = of("ours", threads);
    if (ours.length === 0) continue;
    const compared = Object.entries(peers).filter(([, theirs]) => theirs.length > 0);
    const gates = compared.map(([name, theirs]) => ({ name, ...gate(ours, theirs) }));
    const parity = gates.length > 0 && gates.every(({ ok }) => ok); // against nobody there is none
    const median = medianOf(ours);
    const ratio = (theirs: readonly Taken[]) =>
      parity && theirs.length > 0 ? rounded(medianOf(theirs) / median) : null;
    const speed = flopsOf(CONFIGS[config], BATCH) / (median / 1000);
    const peak = threads * Math.max(...ours.map(({ turn }) => turn.peak ?? 0));
    rows.push({
      config,
      device,
      threads,
      runtime,
      tokensPerSecond: Math.round((BATCH * CONFIGS[config].context) / (median / 1000)),
      ratioToJaxJs: ratio(peers["jax-js"]),
      ratioToTfjs: ratio(peers.tfjs),
      dispatchesPerStep: ours[0]!.turn.dispatches ?? 0,
      fractionOfPeak: peak > 0 ? rounded(speed / peak) : null,
      parity,
    });
    notes.push(
      `ours: ${timing(ours)}, ${giga(speed)}${peak > 0 ? ` of ${giga(peak)}` : ""}, ${ours[0]!.turn.detail}`,
    );
    for (const { name, start, curve, steps, ok } of gates)
      notes.push(
        `  with ${name}: loss at step 0 within ${start.toExponential(1)}, over ${steps} steps within ${curve.toExponential(1)}: ${ok ? "parity" : "NO PARITY"}`,
      );
  }
  for (const [name, theirs] of Object.entries(peers))
    if (theirs.length > 0) notes.push(`${name}: ${timing(theirs)}`);
  return { rows, notes };
}

/** How long a step takes, and of how many that is the median. */
function timing(taken: readonly Taken[]): string {
  const steps = taken.reduce((sum, { job }) => sum + job.steps, 0);
  return `median ${medianOf(taken).toFixed(1)} ms of ${steps} steps after ${taken[0]!.job.warmups}`;
}

/** Largest differences over the steps that both took; every turn is held against every other. */
function gate(ours: readonly Taken[], theirs: readonly Taken[]) {
  let [start, curve, steps] = [0, 0, Number.POSITIVE_INFINITY];
  for (const a of ours)
    for (const b of theirs) {
      const both = Math.min(a.turn.losses.length, b.turn.losses.length);
      steps = Math.min(steps, both);
      for (let step = 0; step < both; step++) {
        const apart = Math.abs(a.turn.losses[step]! - b.turn.losses[step]!);
        // A loss that is no number is apart from everything.
        const difference = Number.isNaN(apart) ? Number.POSITIVE_INFINITY : apart;
        if (step === 0) start = Math.max(start, difference);
        curve = Math.max(curve, difference);
      }
    }
  return { start, curve, steps, ok: start <= FIRST_LOSS && curve <= CURVE };
}

/** Milliseconds: the median of all steps that count, over all of a contestant's turns. */
function medianOf(taken: readonly Taken[]): number {
  const times = taken.flatMap(({ job, turn }) => turn.times.slice(job.warmups)).toSorted((a, b) => a - b);
  const middle = times.length >> 1;
  return times.length % 2 === 1 ? times[middle]! : (times[middle - 1]! + times[middle]!) / 2;
}

const rounded = (value: number) => Math.round(value * 1000) / 1000;
const giga = (flops: number) => `${(flops / 1e9).toFixed(1)} GFLOP/s`;
