import type { DeviceLossGuard } from "./device-loss-guard.ts";
import { bytes, type VectorPart } from "./memory.ts";
import type { Part } from "./vectors.ts";

/** A range to read: `length` values of 4 bytes from value `from` on. */
export interface Piece {
  readonly buffer: GPUBuffer;
  readonly from: number;
  readonly length: number;
}

/** Values that are read at once: as many as a large model's vector would be a second copy of it in the GPU's memory. */
const MAX_VALUES = 8 * 1024 * 1024;

/** The two staging buffers through which everything comes back, a long piece in several parts. One read at a time. */
export class Readback {
  readonly #device: GPUDevice;
  readonly #lossGuard: DeviceLossGuard;
  readonly #staging: readonly GPUBuffer[];

  /** `lengths`: how many values the first and the second piece of a read may have. */
  constructor(device: GPUDevice, lossGuard: DeviceLossGuard, lengths: readonly [number, number]) {
    this.#device = device;
    this.#lossGuard = lossGuard;
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    this.#staging = lengths.map((length) =>
      device.createBuffer({ label: "readback", size: bytes(Math.min(length, MAX_VALUES)), usage }),
    );
  }

  /**
   * Runs `before` on the device, then copies the pieces out, in one submit where they are not long. The values go into
   * `results`, new ones unless given.
   */
  async read(
    pieces: readonly Piece[],
    before?: (pass: GPUComputePassEncoder) => void,
    results = pieces.map(({ length }) => new Float32Array(length)),
  ): Promise<Float32Array[]> {
    const longest = Math.max(...pieces.map(({ length }) => length));
    for (let at = 0; at < longest; at += MAX_VALUES) {
      const encoder = this.#device.createCommandEncoder();
      if (before && at === 0) {
        const pass = encoder.beginComputePass();
        before(pass);
        pass.end();
      }
      const parts = pieces.map(({ length }) => Math.max(0, Math.min(MAX_VALUES, length - at)));
      pieces.forEach(({ buffer, from }, i) => {
        if (parts[i]! === 0) return;
        encoder.copyBufferToBuffer(buffer, (from + at) * 4, this.#staging[i]!, 0, parts[i]! * 4);
      });
      this.#device.queue.submit([encoder.finish()]);
      await Promise.all(results.map((values, i) => this.#copy(values, at, parts[i]!, this.#staging[i]!)));
    }
    return results;
  }

  /** A whole vector. */
  async vector(parts: readonly VectorPart[]): Promise<Float32Array> {
    const values = new Float32Array(lengthOf(parts));
    for (const { buffer, from, length } of parts)
      await this.read([{ buffer, from: 0, length }], undefined, [values.subarray(from, from + length)]);
    return values;
  }

  async #copy(values: Float32Array, at: number, length: number, staging: GPUBuffer): Promise<void> {
    if (length === 0) return;
    await this.#lossGuard.wait(staging.mapAsync(GPUMapMode.READ, 0, length * 4));
    values.set(new Float32Array(staging.getMappedRange(0, length * 4)), at);
    staging.unmap();
  }

  destroy(): void {
    for (const buffer of this.#staging) buffer.destroy();
  }
}

/**
 * Writes `values` to the beginning of a buffer, a long vector in several parts, each when the device has taken the one before:
 * what waits for the device is a copy in its process.
 */
export async function upload(
  { queue }: Pick<GPUDevice, "queue">,
  lossGuard: DeviceLossGuard,
  buffer: GPUBuffer,
  values: Float32Array,
): Promise<void> {
  for (let at = 0; at < values.length; at += MAX_VALUES) {
    if (at > 0) await lossGuard.wait(queue.onSubmittedWorkDone());
    queue.writeBuffer(buffer, at * 4, values, at, Math.min(MAX_VALUES, values.length - at));
  }
}

/** The same for a vector in parts. */
export async function uploadVector(
  device: Pick<GPUDevice, "queue">,
  lossGuard: DeviceLossGuard,
  parts: readonly VectorPart[],
  values: Float32Array,
): Promise<void> {
  for (const { buffer, from, length } of parts) {
    if (from > 0) await lossGuard.wait(device.queue.onSubmittedWorkDone());
    await upload(device, lossGuard, buffer, values.subarray(from, from + length));
  }
}

const lengthOf = (parts: readonly Part[]): number => parts.reduce((sum, { length }) => sum + length, 0);
