import type {
  DeviceName,
  DeviceReport,
  Trainer,
  TrainerFactory,
  TrainerOptions,
} from "../../../model/contract/trainer.ts";

/** Told of a trainer after one step from weights that are the same for all, and its loss. */
export type AfterFirst = (trainer: Trainer, options: TrainerOptions, loss: number) => Promise<void>;

/** A way to train that this machine may or may not have. Its code is fetched when it is tried. */
export interface Candidate {
  readonly device: DeviceName;
  readonly engine: DeviceReport["engine"];
  /** Rejects where the code cannot be loaded. */
  readonly load: () => Promise<TrainerFactory>;
  /** Drops what was remembered of earlier visits. True where the last try had used it: another may go better. */
  readonly forget?: () => Promise<boolean>;
  /** Rejects where the first step, at the run's own shape, is wrong. */
  readonly first?: AfterFirst;
  /** Whether it is a processor in disguise, not worth waiting for where the processor itself serves. */
  readonly disguised?: () => Promise<boolean>;
}

/** Names a candidate where it is remembered. */
export const idOf = ({ device, engine }: Candidate): string => `${device}/${engine}`;
