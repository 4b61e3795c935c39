import type { DeviceLossGuard } from "./device-loss-guard.ts";
import { bytes } from "./memory.ts";

/** A range to read: `length` values of 4 bytes from value `from` on. */
export interface Piece {
  readonly buffer: GPUBuffer;
  readonly from: number;
  readonly length: number;
}

/** The two staging buffers through which everything comes back. One read at a time. */
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
      device.createBuffer({ label: "readback", size: bytes(length), usage }),
    );
  }

  /** Runs `before` on the device, then copies the pieces out, in one submit. */
  async read(
    pieces: readonly Piece[],
    before?: (pass: GPUComputePassEncoder) => void,
  ): Promise<Float32Array[]> {
    const encoder = this.#device.createCommandEncoder();
    if (before) {
      const pass = encoder.beginComputePass();
      before(pass);
      pass.end();
    }
    pieces.forEach(({ buffer, from, length }, i) => {
      encoder.copyBufferToBuffer(buffer, from * 4, this.#staging[i]!, 0, length * 4);
    });
    this.#device.queue.submit([encoder.finish()]);
    return Promise.all(
      pieces.map(async ({ length }, i) => {
        const staging = this.#staging[i]!;
        await this.#lossGuard.wait(staging.mapAsync(GPUMapMode.READ, 0, length * 4));
        const values = new Float32Array(staging.getMappedRange(0, length * 4).slice(0));
        staging.unmap();
        return values;
      }),
    );
  }

  destroy(): void {
    for (const buffer of this.#staging) buffer.destroy();
  }
}

/** The first `columns` values of each row of `stride`; where those are all, what it was given. */
export function withoutPadding(values: Float32Array, stride: number, columns: number): Float32Array {
  if (stride === columns) return values;
  const rows = values.length / stride;
  const dense = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++)
    dense.set(values.subarray(row * stride, row * stride + columns), row * columns);
  return dense;
}
