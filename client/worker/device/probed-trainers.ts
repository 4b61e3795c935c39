import type { Inner, ModelError } from "../../../model/contract/config.ts";
import { checkTrainer } from "../../../model/contract/known-gradient.ts";
import type {
  DeviceName,
  DeviceReport,
  Trainer,
  TrainerFactory,
  TrainerOptions,
} from "../../../model/contract/trainer.ts";
import type { Cache } from "../../cache/cache.ts";
import { readProbe, saveProbe } from "../../cache/entries.ts";
import { type Candidate, idOf } from "./candidate.ts";
import { callMs, triedBatch } from "./effort.ts";
import { type Probed, type ProbeOptions, type ProbeResult, probe } from "./probe.ts";
import type { Trainers } from "./trainers.ts";
import { withDeadlines } from "./with-deadlines.ts";

/** The phase of the loop while devices are tried. */
export interface Probing {
  readonly phase: "probing";
  readonly trying: DeviceName;
}

/** Tells which device trains, and what came of the others. */
export interface DeviceFound {
  readonly type: "device";
  readonly device: DeviceReport;
  readonly probed: readonly ProbeResult[];
}

export interface ProbedTrainersOptions extends Pick<ProbeOptions, "clock" | "sleep" | "check"> {
  readonly candidates: readonly Candidate[];
  /** Only this device, whatever the others would do. */
  readonly only?: DeviceName | undefined;
  readonly options: Omit<TrainerOptions, "batch">;
  readonly cache: Cache;
  /** Describes browser and adapter: a winner is remembered for this and no other. */
  readonly description: string;
  /** Milliseconds of the day, for how long a winner is believed. */
  readonly today: () => number;
  readonly control: { readonly signal: AbortSignal; enter(phase: Probing): void };
  readonly report: (found: DeviceFound) => void;
}

/** {@link Trainers} that the probe found, and finds again among what is left when a device fails twice. */
export class ProbedTrainers implements Trainers {
  readonly #options: ProbedTrainersOptions;
  #candidates: readonly Candidate[];
  #chosen: Pick<Probed, "candidate" | "factory" | "results"> | undefined;
  #trainer: Trainer | undefined;
  /** Sequences in a micro-batch, until a ticket asks for more. */
  #batch: number;
  #inner: Inner;
  /** Inner optimisers that the chosen device computes well. */
  #checked = new Set<Inner>();
  #failures = 0;

  constructor(options: ProbedTrainersOptions) {
    this.#options = options;
    this.#batch = triedBatch(options.options.shape);
    this.#inner = options.options.optimizer.inner ?? "adamw";
    const { candidates, only } = options;
    this.#candidates = only === undefined ? candidates : candidates.filter(({ device }) => device === only);
  }

  async take(batch: number, inner = this.#inner): Promise<Trainer> {
    if (this.#trainer !== undefined && batch <= this.#batch && inner === this.#inner) return this.#trainer;
    this.dispose();
    this.#batch = Math.max(batch, this.#batch);
    this.#inner = inner;
    const trainer = (await this.#again()) ?? (await this.#probe());
    this.#trainer = withDeadlines(trainer, callMs(this.#options.options.shape, this.#batch));
    return this.#trainer;
  }

  lost(_error: ModelError): void {
    this.dispose();
    if (++this.#failures < 2) return;
    this.#exclude();
  }

  proved(): void {
    this.#failures = 0;
  }

  dispose(): void {
    this.#trainer?.dispose();
    this.#trainer = undefined;
  }

  /** Holds a device to the known gradient with an inner optimiser that it was not yet held to. */
  async #check(factory: TrainerFactory): Promise<void> {
    const { check = checkTrainer } = this.#options;
    if (this.#checked.has(this.#inner)) return;
    await check(factory, this.#inner);
    this.#checked.add(this.#inner);
  }

  get #wanted(): TrainerOptions {
    const { options } = this.#options;
    const optimizer = { ...options.optimizer, inner: this.#inner };
    return { ...options, optimizer, batch: this.#batch };
  }

  /** The chosen device once more; undefined where it has none or it fails. */
  async #again(): Promise<Trainer | undefined> {
    const chosen = this.#chosen;
    if (chosen === undefined) return undefined;
    let trainer: Trainer | undefined;
    try {
      trainer = await chosen.factory(this.#wanted);
      await this.#check(chosen.factory);
      return trainer;
    } catch {
      trainer?.dispose();
      this.#exclude();
      return undefined;
    }
  }

  async #probe(): Promise<Trainer> {
    const { cache, description, today, control, report } = this.#options;
    const probed = await probe({
      ...this.#options,
      candidates: this.#candidates,
      options: this.#wanted,
      remembered: await readProbe(cache, description, today()),
      trying: (trying) => control.enter({ phase: "probing", trying }),
      signal: control.signal,
    });
    this.#chosen = probed;
    this.#checked = new Set([this.#inner]);
    await saveProbe(cache, description, idOf(probed.candidate), today());
    report({ type: "device", device: probed.trainer.report, probed: probed.results });
    return probed.trainer;
  }

  #exclude(): void {
    const failed = this.#chosen?.candidate;
    this.#candidates = this.#candidates.filter((candidate) => candidate !== failed);
    this.#chosen = undefined;
    this.#failures = 0;
  }
}
