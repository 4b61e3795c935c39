import { ModelError } from "../../contract/config.ts";
import type { Nudge } from "./nudge.ts";

/** Whether the device still lives; and so that no call waits for a dead one. */
export class DeviceLossGuard {
  #error: ModelError | undefined;
  /** Rejects of the calls that wait. A set, not races against `device.lost`: those would pile up on it. */
  readonly #waiting = new Set<(error: ModelError) => void>();

  readonly #nudge: Nudge;

  constructor(device: GPUDevice, nudge: Nudge) {
    this.#nudge = nudge;
    void device.lost.then(({ message, reason }) =>
      this.end(`the GPU device was lost (${reason}): ${message || "no reason given"}`),
    );
  }

  /** Every waiting and every later call rejects with `device-lost`. The first reason stays. */
  end(reason: string): void {
    this.#error ??= new ModelError("device-lost", reason);
    for (const reject of this.#waiting) reject(this.#error);
    this.#waiting.clear();
  }

  /** Throws `device-lost` once the device is gone. */
  check(): void {
    if (this.#error) throw this.#error;
  }

  /** The device's answer, as soon as it has one, or `device-lost`. */
  wait<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const lose = (error: ModelError) => reject(error);
      this.#waiting.add(lose);
      const settle = () => this.#waiting.delete(lose);
      this.#nudge.during(answer).then(
        (value) => {
          settle();
          if (this.#error) reject(this.#error);
          else resolve(value);
        },
        (cause: unknown) => {
          this.end(`the GPU device does not answer: ${String(cause)}`);
        },
      );
    });
  }
}
