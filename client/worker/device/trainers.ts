import type { Inner, ModelError } from "../../../model/contract/config.ts";
import type { Trainer } from "../../../model/contract/trainer.ts";

/** The trainer in use, and what takes its place when its device is gone. */
export interface Trainers {
  /**
   * The trainer, fit for micro-batches of up to `batch` sequences and with this inner optimiser, or the run's own; made on
   * first use, when another is asked for, and again after {@link Trainers.lost}. Throws {@link NoDevice} when none is left.
   */
  take(batch: number, inner?: Inner): Promise<Trainer>;
  /** The device failed: frees its trainer. Twice in a row, and the next device takes its place. */
  lost(error: ModelError): void;
  /** A ticket was finished on the device: an earlier failure is forgiven. */
  proved(): void;
  dispose(): void;
}

/** Nothing here can train: every device was refused, each for a reason. */
export class NoDevice extends Error {
  override readonly name = "NoDevice";
}
