import { initialWeights } from "../../model/contract/init.ts";
import { createWasmTrainer } from "../../model/engine/wasm/trainer.ts";
import { Random } from "../../model/lib/random.ts";

export interface WasmQuestion {
  readonly deterministic: boolean;
  readonly threads: number;
  readonly inner?: "muon";
}

export interface WasmAnswer {
  readonly detail: string;
  readonly losses: number[];
  readonly delta: number[];
}

const shape = { layers: 2, heads: 2, width: 24, context: 20, vocabulary: 37 };
const optimizer = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 };

/** One small ticket, the same wherever it runs: Node, and a Worker of a browser. */
export async function runTicket({ deterministic, threads, inner }: WasmQuestion): Promise<WasmAnswer> {
  const batch = 3;
  const trainer = await createWasmTrainer({
    shape,
    optimizer: { ...optimizer, ...(inner && { inner }) },
    batch,
    deterministic,
    threads,
  });
  await trainer.load(initialWeights(shape, 3));
  const random = new Random(4);
  for (let step = 0; step < 10; step++) {
    const length = batch * (shape.context + 1);
    await trainer.step(
      Uint16Array.from({ length }, () => random.below(shape.vocabulary)),
      batch,
      5e-3,
    );
  }
  const [losses, delta] = [await trainer.losses(), await trainer.delta()];
  trainer.dispose();
  return { detail: trainer.report.detail, losses: [...losses], delta: [...delta] };
}
