import { OPTIMIZER } from "../../client/benchmark/workload.ts";
import type { Inner, ModelShape } from "../../model/contract/config.ts";
import { layoutOf } from "../../model/contract/layout.ts";
import { ITERATIONS, muonMatrices } from "../../model/contract/muon.ts";
import { bytesOf, flopsOf } from "../../model/engine/flops.ts";
import { fitTo } from "../../model/engine/webgpu/fit.ts";
import { lowerAll } from "../../model/engine/webgpu/lower.ts";
import { likeliest, tuningFor } from "../../model/engine/webgpu/tuning.ts";

/** What Muon inside costs beside AdamW, counted: nothing here needs a clock or a GPU. */
export interface MuonCounts {
  /** Newton–Schulz' part of a step's arithmetic (flops.ts), as WASM does it. */
  readonly flopShare: number;
  /** The same where symmetric products are worked out whole, as WebGPU does. */
  readonly webgpuShare: number;
  /** Dispatches of a step on WebGPU. */
  readonly dispatches: { readonly adamW: number; readonly muon: number };
  /** Bytes that a step's operations name (flops.ts). */
  readonly bytes: { readonly adamW: number; readonly muon: number };
}

/** What every WebGPU device offers. */
const LIMITS = { maxStorageBufferBindingSize: 2 ** 27, maxBufferSize: 2 ** 28 };

export function muonCounts(shape: ModelShape, batch: number): MuonCounts {
  const both = <T>(count: (inner: Inner) => T) => ({ adamW: count("adamw"), muon: count("muon") });
  const flops = both((inner) => flopsOf(shape, batch, inner));
  const whole = muonMatrices(layoutOf(shape)).reduce((sum, { rows, columns }) => {
    const [n, m] = [Math.min(rows, columns), Math.max(rows, columns)];
    return sum + ITERATIONS * 2 * n * n * (2 * m + n);
  }, 0);
  return {
    flopShare: 1 - flops.adamW / flops.muon,
    webgpuShare: whole / (flops.adamW + whole),
    dispatches: both((inner) => dispatchesOf(shape, batch, inner)),
    bytes: both((inner) => bytesOf(shape, batch, inner)),
  };
}

function dispatchesOf(shape: ModelShape, batch: number, inner: Inner): number {
  const { training, tables } = fitTo({ shape, batch, optimizer: { ...OPTIMIZER, inner } }, LIMITS);
  const gpu = { software: false, subgroups: false };
  const tuning = tuningFor(gpu, likeliest(gpu));
  const kernels = lowerAll([...training.first, ...training.update], tuning, tables);
  return kernels.length + 1; // the loss
}
