import { layoutOf } from "../../model/contract/layout.ts";
import { headerOf } from "../../model/data/safetensors.ts";
import { flopsOf } from "../../model/engine/flops.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { frameBytes } from "../../protocol/frame.ts";
import { MAX_PARAMETERS, MAX_VOCABULARY, MIN_VOCABULARY } from "../../protocol/limits.ts";
import type { Pace } from "../../protocol/pace.ts";
import type { DeviceMemory, Estimate } from "../../protocol/setup.ts";
import { MAX_STEPS } from "../coordinator/rounds.ts";
import { stepsFor, type Weight } from "../coordinator/ticket-steps.ts";
import { deltaCodec, diffCodec } from "../run/merge-rule.ts";
import { largestBatch } from "../run/micro-batch.ts";
import type { Settings } from "../run/settings.ts";
import { deviceMemoryOf } from "./device-memory.ts";

/** Bytes of a value. */
const F32 = 4;
/** Vectors on disk for each snapshot: itself, the server's own weights and the outer momentum. */
const VECTORS_A_SNAPSHOT = 3;

/** A run's costs, by the code that will run it. Throws `bad-request` where no volunteer could load it. */
export function costsOf(settings: Settings, vocabulary: number): Omit<Estimate, keyof DeviceMemory> {
  if (vocabulary < MIN_VOCABULARY || vocabulary > MAX_VOCABULARY) {
    throw new ProtocolError("bad-request", `a vocabulary has ${MIN_VOCABULARY} to ${MAX_VOCABULARY} tokens`);
  }
  const shape = { ...settings.model, vocabulary };
  const layout = layoutOf(shape);
  const parameters = layout.length;
  if (parameters > MAX_PARAMETERS) {
    throw new ProtocolError(
      "bad-request",
      `${parameters} parameters are more than the ${MAX_PARAMETERS} a run may have`,
    );
  }
  const { batch, tokenBudget, learningRate } = settings;
  const tokensPerStep = batch * shape.context;
  const deltaBytes = frameBytes(deltaCodec(settings, parameters), parameters);
  const diffBytes = frameBytes(diffCodec(settings, Number.POSITIVE_INFINITY), parameters);
  return {
    parameters,
    snapshotBytes: headerOf(layout).length + F32 * parameters,
    deltaBytes,
    diffBytes,
    flopsPerToken: Math.round(flopsOf(shape, batch) / tokensPerStep),
    ticketTokens: ticketTokensOf(settings, { tokensPerStep, deltaBytes, diffBytes }),
    diskBytes: diskBytes(settings, parameters, deltaBytes, diffBytes),
    tokenBudget,
    learningRate,
  };
}

/** The same, and what it takes of a visitor's device. */
export async function estimateOf(settings: Settings, vocabulary: number): Promise<Estimate> {
  return { ...costsOf(settings, vocabulary), ...(await deviceMemoryOf(settings, vocabulary)) };
}

/** The least and the most tokens of a ticket: by the pace of the slowest and of the fastest volunteer there can be. */
function ticketTokensOf(settings: Settings, weight: Weight): [number, number] {
  const { rounds, steps, batch, model } = settings;
  if (rounds !== "turns") {
    const smallest = rounds.batch === "paced" ? Math.max(1, Math.floor(batch / 4)) : rounds.batch;
    const most = steps === "paced" ? MAX_STEPS : steps;
    return [smallest * model.context, most * largestBatch(settings) * model.context];
  }
  const of = (pace: Pace) =>
    weight.tokensPerStep * (steps === "paced" ? stepsFor(weight, pace, 1, false) : steps);
  return [of({ speed: 1e-9, uplink: Number.MAX_VALUE }), of({ speed: Number.MAX_VALUE, uplink: 1 })];
}

/** At the quorum's number of deltas a version; a larger swarm keeps more of them (docs/OPERATIONS.md). */
function diskBytes(settings: Settings, parameters: number, deltaBytes: number, diffBytes: number): number {
  const { keepSnapshots, snapshotEvery, keepDiffs, quorum } = settings;
  return (
    keepSnapshots * VECTORS_A_SNAPSHOT * F32 * parameters +
    keepDiffs * diffBytes +
    (keepSnapshots + 1) * snapshotEvery * quorum * deltaBytes
  );
}
