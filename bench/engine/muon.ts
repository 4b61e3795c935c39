import { OPTIMIZER } from "../../client/benchmark/workload.ts";
import type { Inner } from "../../model/contract/config.ts";
import { initialWeights } from "../../model/contract/init.ts";
import { hasFma, loadKernels } from "../../model/engine/wasm/kernels.ts";
import { Replica } from "../../model/engine/wasm/replica.ts";
import { Random } from "../../model/lib/random.ts";
import { VOCABULARY } from "../learning/corpus.ts";
import { MODELS, type ModelName } from "../learning/job.ts";
import { type MuonCounts, muonCounts } from "./muon-counts.ts";

/** What a step costs on one thread of the WASM engine, with AdamW and with Muon inside, in the same run. */
export interface MuonRow {
  readonly model: ModelName;
  /** Sequences a step. */
  readonly batch: number;
  /** Milliseconds of a whole step, medians. */
  readonly adamW: number;
  readonly muon: number;
  /** What Muon's update takes more than AdamW's, as a part of Muon's step. */
  readonly share: number;
  /** Tokens a second with AdamW, over those of 4 sequences a step. */
  readonly pace: number;
  readonly counts: MuonCounts;
}

const BATCHES = [1, 2, 4, 8, 16];
/** The batch that `pace` is held against: the default. */
const USUAL_BATCH = 4;
const RATE = 1e-3;
const WARMUPS = 3;

/** Steps of all batches and both optimisers by turns, so that whatever else runs slows all. */
export async function muonRows(short: boolean): Promise<MuonRow[]> {
  const rows: MuonRow[] = [];
  for (const model of Object.keys(MODELS) as ModelName[])
    rows.push(...(await measure(model, short ? 5 : 21)));
  return rows;
}

async function measure(model: ModelName, steps: number): Promise<MuonRow[]> {
  const contenders = await Promise.all(
    BATCHES.flatMap((batch) => [openReplica(model, batch, "adamw"), openReplica(model, batch, "muon")]),
  );
  for (let step = 1; step <= WARMUPS + steps; step++)
    for (const { replica, tokens, batch, backwards, updates } of contenders) {
      const begun = threadMs();
      replica.backward(tokens, batch, tokens.length - batch);
      const between = threadMs();
      replica.update(step, RATE);
      if (step <= WARMUPS) continue;
      backwards.push(between - begun);
      updates.push(threadMs() - between);
    }
  const costOf = (batch: number, inner: Inner) => {
    const found = contenders.find((one) => one.batch === batch && one.inner === inner)!;
    const update = median(found.updates);
    return { update, step: median(found.backwards) + update };
  };
  const usual = costOf(USUAL_BATCH, "adamw").step / USUAL_BATCH;
  return BATCHES.map((batch) => {
    const adamW = costOf(batch, "adamw");
    const muon = costOf(batch, "muon");
    return {
      model,
      batch,
      adamW: rounded(adamW.step),
      muon: rounded(muon.step),
      share: rounded((muon.update - adamW.update) / muon.step),
      pace: rounded(usual / (adamW.step / batch)),
      counts: muonCounts({ ...MODELS[model].model, vocabulary: VOCABULARY }, batch),
    };
  });
}

async function openReplica(model: ModelName, batch: number, inner: Inner) {
  const shape = { ...MODELS[model].model, vocabulary: VOCABULARY };
  const random = new Random(1);
  const tokens = Uint16Array.from({ length: batch * (shape.context + 1) }, () => random.below(VOCABULARY));
  const options = { shape, optimizer: { ...OPTIMIZER, inner }, batch, memoryLimit: 2 ** 30 };
  const replica = new Replica(await loadKernels(hasFma()), options);
  replica.load(initialWeights(shape, 1));
  return { batch, inner, replica, tokens, backwards: [] as number[], updates: [] as number[] };
}

/** Milliseconds that this thread has computed: waiting for a core does not count. */
function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const rounded = (value: number): number => Math.round(value * 1000) / 1000;
