import type { Inner } from "../../model/contract/config.ts";
import { createWasmTrainer } from "../../model/engine/wasm/trainer.ts";
import { Random } from "../../model/lib/random.ts";
import type { VolunteerKey } from "../../protocol/ids.ts";
import { largestBatch } from "../../server/run/micro-batch.ts";
import { VirtualClock } from "./clock.ts";
import type { BenchCorpus } from "./corpus.ts";
import { EvenCurve, type Measure, type Version } from "./curve.ts";
import { heldOutMeter } from "./heldout.ts";
import type { Outcome, SimulatedSwarm } from "./job.ts";
import { evenMachines, type Machine, SCENARIOS, type Scenario } from "./scenarios.ts";
import { Service } from "./service.ts";
import { stepMs } from "./step-time.ts";
import { TargetCurve } from "./target-curve.ts";
import { Traffic } from "./traffic.ts";
import { Volunteer } from "./volunteer.ts";

/** Points of a curve, evenly over the tokens. */
export const CURVE_POINTS = 20;

/** Runs a swarm until so many tokens are merged. */
export async function runSwarm<J extends SimulatedSwarm>(job: J, corpus: BenchCorpus): Promise<Outcome<J>> {
  const begun = performance.now();
  const { settings } = job;
  const { model, batch } = settings;
  const clock = new VirtualClock();
  const service = await Service.open(clock, settings, corpus);
  const shape = { ...model, vocabulary: corpus.vocabulary };
  const open = (inner: Inner) =>
    createWasmTrainer({ shape, batch: largestBatch(settings), optimizer: { ...settings.optimizer, inner } });
  const trainers = { adamw: await open("adamw"), muon: await open("muon") };
  const trainer = trainers.adamw;
  const meter = heldOutMeter(trainer, corpus.heldOut, model.context, batch, job.measured);
  const traffic = new Traffic();
  const random = new Random(job.seed * 7_919 + 1);
  let keys = 0;
  const count = job.volunteers ?? SCENARIOS[job.scenario].volunteers;
  const scenario = scenarioOf(job, count, random);
  const place = {
    clock,
    service,
    corpus,
    trainers,
    scenario,
    random,
    stepMs: (machine: Machine, sequences: number, inner: Inner) => stepMs(machine, shape, sequences, inner),
    traffic,
    key: () => `${keys++}`.padStart(43, "0") as VolunteerKey,
  };
  const volunteers = Array.from({ length: count }, () => new Volunteer(place));
  for (const volunteer of volunteers) clock.after(0, () => volunteer.enter());

  const versionNow = (): Version => ({
    tokens: service.state.tokens,
    version: service.state.version,
    ms: Math.round(clock.now),
    bytesUp: traffic.up,
    bytesDown: traffic.down + traffic.joins,
  });
  const measure: Measure = (x) => meter(x, "rough");
  const curve = job.targets
    ? new TargetCurve(job.targets, measure)
    : new EvenCurve(job.tokens, job.points ?? CURVE_POINTS, measure);
  service.onVersion = (_, x) => curve.offer(versionNow(), x);
  await clock.run(() => service.finished || curve.reached || service.state.tokens >= job.tokens);
  for (const volunteer of volunteers) volunteer.settle();
  const { state, staleness, refused, parameters } = service;
  await curve.end(versionNow(), service.weights(state.version));
  const loss = await meter(service.weights(state.version), "final");
  trainer.dispose();
  trainers.muon.dispose();
  const { up, down, joins, sent, tickets, trainedMs, presentMs, steps } = traffic;
  return {
    job,
    curve: curve.points,
    loss,
    tokens: state.tokens,
    versions: state.version,
    bitsUp: (8 * up) / sent / parameters,
    bitsDown: (8 * down) / tickets / parameters,
    bitsJoin: (8 * joins) / tickets / parameters,
    goodput: trainedMs / presentMs,
    staleness: Array.from(staleness, (count) => count ?? 0),
    refused,
    steps:
      steps /
      Math.max(
        1,
        staleness.reduce((sum, count) => sum + (count ?? 0), 0),
      ),
    seconds: (performance.now() - begun) / 1_000,
  };
}

/** The job's scenario, with its machines where they are not drawn one by one. */
function scenarioOf({ scenario: name, even }: SimulatedSwarm, count: number, random: Random): Scenario {
  const scenario: Scenario = SCENARIOS[name];
  const machines = even ? evenMachines(count, random) : [];
  return even ? { ...scenario, machine: () => machines.pop()! } : scenario;
}
