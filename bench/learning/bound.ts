import { initialWeights } from "../../model/contract/init.ts";
import { hasFma, loadKernels } from "../../model/engine/wasm/kernels.ts";
import { Replica } from "../../model/engine/wasm/replica.ts";
import { createWasmTrainer } from "../../model/engine/wasm/trainer.ts";
import { rateAt } from "../../server/coordinator/learning-rates.ts";
import { parseSettings } from "../../server/run/settings.ts";
import { type BenchCorpus, VOCABULARY } from "./corpus.ts";
import { heldOutMeter } from "./heldout.ts";
import { type BoundJob, MODELS, type Outcome } from "./job.ts";
import { machineOfMeans } from "./scenarios.ts";
import { stepMs } from "./step-time.ts";
import { ONE_MACHINE, textOf } from "./sync.ts";
import { TargetCurve } from "./target-curve.ts";

/** Tokens of a step: few steps, and yet hardly more text than smaller ones need. */
export const BOUND_TOKENS = 8_192;
/** Sequences at once on the real machine; gradients add up. */
const MICRO = 16;
const MEMORY_LIMIT = 2 ** 30;

/**
 * What perfect machines without a network would take: synchronous training with the engine's Muon, 8,192 tokens a step.
 * The curve's time is that of one machine of the scenarios' mean speed, by {@link stepMs}; N of them, between which a step
 * would be divided without loss, would take an Nth of it. It is a bound to hold many machines against: its rate is not
 * tuned for every length, and few do better with smaller steps.
 */
export async function runBound(job: BoundJob, corpus: BenchCorpus): Promise<Outcome<BoundJob>> {
  const begun = performance.now();
  const { model, batch } = MODELS[job.model];
  const shape = { ...model, vocabulary: VOCABULARY };
  const rows = BOUND_TOKENS / model.context;
  const settings = parseSettings({
    ...{ model, seed: job.seed, tokenBudget: job.tokens, learningRate: job.rate },
    optimizer: { inner: "muon" },
  });
  const { optimizer } = settings;
  const options = { shape, optimizer, batch: rows, micro: MICRO, memoryLimit: MEMORY_LIMIT };
  const replica = new Replica(await loadKernels(hasFma()), options);
  replica.load(initialWeights(shape, job.seed));
  const trainer = await createWasmTrainer({ shape, batch, optimizer });
  const meter = heldOutMeter(trainer, corpus.heldOut, model.context, batch);
  const curve = new TargetCurve(job.targets, (weights) => meter(weights, "rough"));
  const perStep = stepMs(machineOfMeans(), shape, rows, "muon");
  let step = 0;
  for (const part of textOf(settings, corpus, rows)) {
    if (curve.reached || step * BOUND_TOKENS >= job.tokens) break;
    step++;
    replica.backward(part, rows, rows * model.context);
    replica.update(step, rateAt(settings, step * BOUND_TOKENS));
    const version = { version: step, tokens: step * BOUND_TOKENS, ms: step * perStep };
    await curve.offer({ ...version, bytesUp: 0, bytesDown: 0 }, replica.parameters.slice());
  }
  const loss = await meter(replica.parameters, "final");
  trainer.dispose();
  return {
    job,
    curve: curve.points,
    loss,
    tokens: step * BOUND_TOKENS,
    versions: step,
    ...ONE_MACHINE,
    seconds: (performance.now() - begun) / 1_000,
  };
}
