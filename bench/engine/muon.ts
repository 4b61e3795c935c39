import { OPTIMIZER } from "../../client/benchmark/workload.ts";
import { initialWeights } from "../../model/contract/init.ts";
import { hasFma, loadKernels } from "../../model/engine/wasm/kernels.ts";
import { Replica } from "../../model/engine/wasm/replica.ts";
import { Random } from "../../model/lib/random.ts";
import { VOCABULARY } from "../learning/corpus.ts";
import { MODELS, type ModelName } from "../learning/job.ts";

/** What Muon inside costs on one thread of the WASM engine, beside AdamW in the same run. */
export interface MuonRow {
  readonly model: ModelName;
  /** Sequences a step. */
  readonly batch: number;
  /** Milliseconds of a whole step, medians. */
  readonly adamW: number;
  readonly muon: number;
  /** What Muon's update takes more than AdamW's, as a part of Muon's step. */
  readonly share: number;
}

const BATCHES = [4, 8, 16];
const RATE = 1e-3;

/** Steps of both by turns, so that whatever else runs slows both. */
export async function muonRows(short: boolean): Promise<MuonRow[]> {
  const rows: MuonRow[] = [];
  for (const model of Object.keys(MODELS) as ModelName[])
    for (const batch of BATCHES) rows.push(await measure(model, batch, short ? 5 : 11));
  return rows;
}

async function measure(model: ModelName, batch: number, steps: number): Promise<MuonRow> {
  const shape = { ...MODELS[model].model, vocabulary: VOCABULARY };
  const random = new Random(1);
  const tokens = Uint16Array.from({ length: batch * (shape.context + 1) }, () => random.below(VOCABULARY));
  const open = async (inner: "adamw" | "muon") => {
    const options = { shape, optimizer: { ...OPTIMIZER, inner }, batch, memoryLimit: 2 ** 30 };
    const replica = new Replica(await loadKernels(hasFma()), options);
    replica.load(initialWeights(shape, 1));
    return { replica, backwards: [] as number[], updates: [] as number[] };
  };
  const both = [await open("adamw"), await open("muon")] as const;
  const warmups = 3;
  for (let step = 1; step <= warmups + steps; step++)
    for (const { replica, backwards, updates } of both) {
      const begun = performance.now();
      replica.backward(tokens, batch, batch * shape.context);
      const between = performance.now();
      replica.update(step, RATE);
      if (step <= warmups) continue;
      backwards.push(between - begun);
      updates.push(performance.now() - between);
    }
  const [adamW, muon] = both.map(({ backwards, updates }) => ({
    update: median(updates),
    step: median(backwards) + median(updates),
  })) as [Cost, Cost];
  return {
    model,
    batch,
    adamW: rounded(adamW.step),
    muon: rounded(muon.step),
    share: rounded((muon.update - adamW.update) / muon.step),
  };
}

interface Cost {
  readonly update: number;
  readonly step: number;
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const rounded = (value: number): number => Math.round(value * 1000) / 1000;
