import { createWasmTrainer } from "../../model/engine/wasm/trainer.ts";
import { Random } from "../../model/lib/random.ts";
import type { VolunteerKey } from "../../protocol/ids.ts";
import { VirtualClock } from "./clock.ts";
import type { BenchCorpus } from "./corpus.ts";
import { heldOutMeter } from "./heldout.ts";
import type { Outcome, Point, SimulatedSwarm } from "./job.ts";
import { type Machine, SCENARIOS } from "./scenarios.ts";
import { Service } from "./service.ts";
import { stepMs } from "./step-time.ts";
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
  const trainer = await createWasmTrainer({ shape, batch, optimizer: settings.optimizer });
  const meter = heldOutMeter(trainer, corpus.heldOut, model.context, batch, job.measured);
  const traffic = new Traffic();
  const random = new Random(job.seed * 7_919 + 1);
  let keys = 0;
  const scenario = SCENARIOS[job.scenario];
  const place = {
    clock,
    service,
    corpus,
    trainer,
    scenario,
    random,
    stepMs: (machine: Machine, sequences: number) =>
      stepMs(machine, shape, sequences, settings.optimizer.inner ?? "adamw"),
    traffic,
    key: () => `${keys++}`.padStart(43, "0") as VolunteerKey,
  };
  const volunteers = Array.from(
    { length: job.volunteers ?? scenario.volunteers },
    () => new Volunteer(place),
  );
  for (const volunteer of volunteers) clock.after(0, () => volunteer.enter());

  const curve: Point[] = [];
  let reached = false;
  service.onVersion = async ({ tokens, version }, x) => {
    if (tokens < (curve.length * job.tokens) / (job.points ?? CURVE_POINTS)) return;
    const loss = await meter(x, "rough");
    const { up, down } = traffic;
    curve.push({
      tokens,
      version,
      ms: Math.round(clock.now),
      bytesUp: up,
      bytesDown: down + traffic.joins,
      loss,
    });
    reached = job.until !== undefined && loss <= job.until;
  };
  await clock.run(() => service.finished || reached || service.state.tokens >= job.tokens);
  for (const volunteer of volunteers) volunteer.settle();
  const { state, staleness, refused, parameters } = service;
  const loss = await meter(service.weights(state.version), "final");
  trainer.dispose();
  const { up, down, joins, sent, tickets, trainedMs, presentMs, steps } = traffic;
  return {
    job,
    curve,
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
