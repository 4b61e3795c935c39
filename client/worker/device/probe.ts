import type { Inner, ModelShape } from "../../../model/contract/config.ts";
import { initialWeights } from "../../../model/contract/init.ts";
import { checkTrainer } from "../../../model/contract/known-gradient.ts";
import type {
  DeviceName,
  DeviceReport,
  Trainer,
  TrainerFactory,
  TrainerOptions,
} from "../../../model/contract/trainer.ts";
import { batchesOf } from "../../../model/data/batches.ts";
import { messageOf } from "../../../model/lib/message-of.ts";
import { type Candidate, idOf } from "./candidate.ts";
import { slowMs } from "./effort.ts";
import { NoDevice } from "./trainers.ts";

/** Milliseconds that the probe looks for a faster device before it takes what it has. */
const PROBE_MS = 2_000;
/** Milliseconds that a candidate is timed, about, or one step if that takes longer. */
const TIMED_MS = 300;
const MAX_TIMED_STEPS = 256;
/** Steps that are tried after one, at most: the first is often slower than those after it. */
const MORE = 8;
/** Steps' worth of work until a candidate was timed: its tiles are chosen on the model's own products, and one step is timed. */
const STEPS_OF_A_TRIAL = 2;
/** Times that the slowest GPU is faster than the slowest device, a software adapter (webgpu/pace.ts). */
const HARDWARE = 10;
/** Milliseconds for a driver that compiles its first shaders, where another device works already, beside those for steps. */
const SECOND_MS = 20_000;
/**
 * Milliseconds for the same where no other device works, beside those that a slow device takes for a step. One that has not
 * answered by then never will.
 */
const HUNG_MS = 90_000;
/** Milliseconds of a first step that is its own measurement: compared with the rest of it, it hardly is the slower for being the first. */
const LONG_STEP_MS = 2_000;
/** Milliseconds that a software adapter gets at least. */
const MIN_MS = 500;

/** One candidate of the probe and what came of it. */
export interface ProbeResult {
  readonly device: DeviceName;
  readonly engine: DeviceReport["engine"];
  /** Tokens a second, or why it is out. */
  readonly outcome: { readonly tokensPerSecond: number } | { readonly refused: string };
}

export interface ProbeOptions {
  readonly candidates: readonly Candidate[];
  /** The run's own shape and optimiser, so that what is timed is what will be done. */
  readonly options: TrainerOptions;
  /** A candidate that won before: if it still computes the known gradient right, nothing else is tried. */
  readonly remembered?: string | undefined;
  readonly trying: (device: DeviceName) => void;
  readonly clock: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
  /** The known-gradient check; a test replaces it where its trainers are not GPT-2s. */
  readonly check?: (factory: TrainerFactory, inner?: Inner) => Promise<void>;
}

export interface Probed {
  readonly candidate: Candidate;
  readonly factory: TrainerFactory;
  readonly trainer: Trainer;
  readonly results: readonly ProbeResult[];
}

/**
 * Finds the fastest way to train here. Each candidate must compute a known gradient right and is then timed on
 * the run's real shape, where its first step must be right as well; the most tokens a second wins. A software adapter is only waited for as long as a visitor
 * would hardly notice, unless nothing else serves, and wins only where it was measured faster. The fast
 * engine's candidates are all tried; tfjs is fetched only when none of them serves, and its `cpu` only
 * when nothing else does. The winner's trainer is kept, the others are freed. Whatever a candidate throws is
 * its reason for being out. Throws {@link NoDevice} when all are out.
 */
export async function probe(options: ProbeOptions): Promise<Probed> {
  const { candidates, remembered, signal, clock, trying } = options;
  const { shape, batch } = options.options;
  const begun = clock();
  const results: ProbeResult[] = [];
  let best: (Probed & { readonly speed: number }) | undefined;
  const known = candidates.filter((candidate) => idOf(candidate) === remembered);
  for (const candidate of [...known, ...candidates.filter((other) => !known.includes(other))]) {
    signal.throwIfAborted();
    if (best !== undefined && isEnough(best.candidate, candidate, known, clock() - begun)) break;
    const { device, engine } = candidate;
    trying(device);
    try {
      const limit =
        best === undefined
          ? HUNG_MS + STEPS_OF_A_TRIAL * slowMs(shape, batch)
          : await limitOf(candidate, clock() - begun, slowMs(shape, batch) / HARDWARE);
      const { factory, trainer, speed } = await within(limit, options, () =>
        tryOut(candidate, options, known.includes(candidate)),
      );
      results.push({ device, engine, outcome: { tokensPerSecond: speed } });
      if (best !== undefined && best.speed >= speed) trainer.dispose();
      else {
        best?.trainer.dispose();
        best = { candidate, factory, trainer, speed, results };
      }
    } catch (error) {
      signal.throwIfAborted();
      results.push({
        device,
        engine,
        outcome: { refused: messageOf(error) },
      });
    }
  }
  if (best === undefined) {
    const reasons = results.map(({ device, engine, outcome }) =>
      "refused" in outcome ? `${device} (${engine}): ${outcome.refused}` : "",
    );
    throw new NoDevice(reasons.join("; ") || "no device is left to try");
  }
  return best;
}

/** Whether the best so far makes trying the next candidate a waste of a visitor's time. */
function isEnough(best: Candidate, next: Candidate, known: readonly Candidate[], spent: number): boolean {
  if (known.includes(best) && !known.includes(next)) return true;
  if (next.engine === "fast") return false;
  return best.engine === "fast" || next.device === "cpu" || spent >= PROBE_MS;
}

/** How long a candidate may take that would have to beat another. */
async function limitOf(candidate: Candidate, spent: number, stepMs: number): Promise<number> {
  const disguised = await candidate.disguised?.();
  return disguised ? Math.max(MIN_MS, PROBE_MS - spent) : SECOND_MS + STEPS_OF_A_TRIAL * stepMs;
}

async function tryOut(
  candidate: Candidate,
  probing: ProbeOptions,
  isKnown: boolean,
): Promise<Pick<Probed, "factory" | "trainer"> & { speed: number }> {
  const { options, clock, check = checkTrainer } = probing;
  const factory = await candidate.load();
  const trainer = await factory(options); // first, so that what it finds out about the device serves the check
  try {
    await check(factory, options.optimizer.inner);
    const { shape, batch } = options;
    await trainer.load(initialWeights(shape, 1));
    const first = async (loss: number) => isKnown || candidate.first?.(trainer, options, loss);
    return {
      factory,
      trainer,
      speed: await speedOf(trainer, shape, batch, clock, undefined, undefined, first),
    };
  } catch (error) {
    trainer.dispose();
    if (await candidate.forget?.()) return tryOut(candidate, probing, false);
    throw error;
  }
}

/**
 * Tokens a second on steps of the run's shape, after one that warms up, unless that takes long. They are timed in bulk, as they are trained: a
 * browser that tells late what the device has done (webgpu/nudge.ts) would else seem slow. Weights are loaded. `first` gets the loss of the
 * first step, before the next.
 */
export async function speedOf(
  trainer: Trainer,
  { context, vocabulary }: ModelShape,
  batch: number,
  clock: () => number,
  timedMs = TIMED_MS,
  longMs = LONG_STEP_MS,
  first?: (loss: number) => unknown,
): Promise<number> {
  const text = Uint16Array.from({ length: (batch + 2) * context }, (_, i) => (i * 31) % vocabulary);
  const [tokens] = batchesOf(text, { window: 0, seed: 1, steps: 1, batch }, context);
  const timed = async (steps: number) => {
    const begun = clock();
    for (let step = 0; step < steps; step++) await trainer.step(tokens!, batch, 1e-4);
    const [loss] = await trainer.losses(); // waits for the device
    return { loss: loss!, took: Math.max(clock() - begun, 0.1) };
  };
  let steps = 1;
  let { took, loss } = await timed(steps);
  await first?.(loss);
  if (took < longMs) ({ took } = await timed(steps));
  while (took < timedMs / 2 && steps < MAX_TIMED_STEPS) {
    const wanted = Math.ceil((steps * timedMs) / took);
    steps = Math.min(wanted, MORE * steps, MAX_TIMED_STEPS);
    ({ took } = await timed(steps));
  }
  return (steps * batch * context * 1_000) / took;
}

/** Gives a candidate so long and no longer: a hung driver would otherwise hang the visit. */
async function within<T extends { trainer: Trainer }>(
  limit: number,
  { sleep, signal }: ProbeOptions,
  work: () => Promise<T>,
): Promise<T> {
  const done = new AbortController();
  let late = false;
  const timeout = sleep(limit, AbortSignal.any([signal, done.signal])).then(() => {
    late = true;
    throw new Error(`not ready within ${(limit / 1_000).toFixed(1)} s`);
  });
  timeout.catch(() => undefined);
  const working = work();
  working.then(
    ({ trainer }) => late && trainer.dispose(),
    () => undefined,
  );
  try {
    return await Promise.race([working, timeout]);
  } finally {
    done.abort();
  }
}
