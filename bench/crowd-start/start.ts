import type { Inner } from "../../model/contract/config.ts";
import { createWasmTrainer } from "../../model/engine/wasm/trainer.ts";
import { Random } from "../../model/lib/random.ts";
import type { VolunteerKey } from "../../protocol/ids.ts";
import { largestBatch } from "../../server/run/micro-batch.ts";
import { parseSettings } from "../../server/run/settings.ts";
import { weighingRule } from "../../server/trust/weigh.ts";
import { VirtualClock } from "../learning/clock.ts";
import type { BenchCorpus } from "../learning/corpus.ts";
import { heldOutMeter } from "../learning/heldout.ts";
import { MODELS } from "../learning/job.ts";
import { evenMachines, type Machine, machineOfMeans, SCENARIOS } from "../learning/scenarios.ts";
import { Service } from "../learning/service.ts";
import { stepMs } from "../learning/step-time.ts";
import { Traffic } from "../learning/traffic.ts";
import { Volunteer } from "../learning/volunteer.ts";
import { HonestAudits } from "./honest-audits.ts";

/** A model so small that a start takes seconds of computing, on machines as much slower: a step takes as long as model S's. */
const MODEL = { layers: 1, heads: 2, width: 32, context: 32 } as const;

/** One start of a run. */
export interface Start {
  readonly volunteers: number;
  readonly seed: number;
  /** Whether its first versions wait for audits, as the product's do. */
  readonly waits: boolean;
  /** Speed of the thread that audits, in machines of the crowd's mean; 0: it audits nothing. */
  readonly auditor: number;
  /** Milliseconds of virtual time that it is watched for. */
  readonly watched: number;
}

/** A version, and when it was there. */
interface Stood {
  readonly ms: number;
  readonly tokens: number;
  /** Held-out, nats a token. */
  readonly loss: number;
}

export interface Started {
  readonly start: Start;
  /** The versions from the first one on. */
  readonly versions: readonly Stood[];
  readonly audits: number;
}

/** A run's start on the default settings, trained for real, by machines that all came at once and are honest. */
export async function startOf(start: Start, corpus: BenchCorpus): Promise<Started> {
  const settings = parseSettings({ model: MODEL, seed: start.seed });
  const clock = new VirtualClock();
  // Without audits nobody waits for any, and all else is the same rule.
  const weigh = weighingRule("default", start.waits ? settings.trust.auditShare : 0);
  const service = await Service.open(clock, settings, corpus, weigh);
  const shape = { ...settings.model, vocabulary: corpus.vocabulary };
  const large = { ...MODELS.S.model, vocabulary: corpus.vocabulary };
  const batch = largestBatch(settings);
  const open = (inner: Inner) =>
    createWasmTrainer({ shape, batch, optimizer: { ...settings.optimizer, inner } });
  const trainers = { adamw: await open("adamw"), muon: await open("muon") };
  const meter = heldOutMeter(trainers.adamw, corpus.heldOut, settings.model.context, settings.batch);
  const random = new Random(start.seed * 7_919 + 1);
  const machines = evenMachines(start.volunteers, random);
  let keys = 0;
  const place = {
    ...{ clock, service, corpus, trainers, random, traffic: new Traffic() },
    scenario: { ...SCENARIOS.calm, machine: () => machines.pop()! },
    stepMs: (machine: Machine, sequences: number, inner: Inner) => stepMs(machine, large, sequences, inner),
    key: () => `${keys++}`.padStart(43, "0") as VolunteerKey,
  };
  const mean = machineOfMeans();
  const tokenMs =
    stepMs({ ...mean, flopsPerMs: mean.flopsPerMs * start.auditor }, large, batch, "muon") /
    (batch * settings.model.context);
  const audits = new HonestAudits({ clock, service, random: new Random(start.seed), tokenMs });
  if (start.auditor > 0) service.onAccepted = (upload) => audits.consider(upload);
  const versions: Stood[] = [];
  service.onVersion = async ({ tokens }, x) => {
    versions.push({ ms: Math.round(clock.now), tokens, loss: await meter(x, "rough") });
  };
  for (const volunteer of Array.from({ length: start.volunteers }, () => new Volunteer(place))) {
    clock.after(0, () => volunteer.enter());
  }
  await clock.run(() => clock.now >= start.watched);
  for (const trainer of Object.values(trainers)) trainer.dispose();
  return { start, versions, audits: audits.made };
}

/** The newest version at a time: its loss, nats a token; undefined before there is one. */
export const lossAt = ({ versions }: Started, ms: number): number | undefined =>
  versions.findLast((one) => one.ms <= ms)?.loss;
