import { ModelError } from "../../contract/config.ts";
import { withDeadline } from "../../lib/deadline.ts";
import { DeviceLossGuard } from "./device-loss-guard.ts";
import { Nudge } from "./nudge.ts";

/** A device, whose it is, and what is known about the hardware under it. */
export interface Gpu {
  readonly device: GPUDevice;
  /** Whether disposing of the trainer should destroy the device. */
  readonly owned: boolean;
  /** The adapter's own description. */
  readonly detail: string;
  /** True where the adapter is a processor in disguise. */
  readonly software: boolean;
  /** Whether kernels may exchange values within a subgroup. */
  readonly subgroups: boolean;
  /** Whether kernels may ask for subgroups of 8, where the adapter would take more by itself. */
  readonly eights: boolean;
  readonly lossGuard: DeviceLossGuard;
  /** Milliseconds in which the browser says that the device is done. */
  readonly latency: number;
}

/** Buffers a kernel binds at once: every arena, and the ring of losses. */
const STORAGE_BUFFERS = 8;

/** Milliseconds a driver has to answer: one that starts cold takes a second or two. */
const ADAPTER_MS = 5_000;
const DEVICE_MS = 10_000;
const IDLE_MS = 5_000;

const SUBGROUPS: GPUFeatureName = "subgroups";
const SIZES = "subgroup-size-control" as GPUFeatureName; // newer than the types

/** Lanes of the smallest subgroups that are asked for (attention-lanes.ts says why). */
export const SMALL_SUBGROUP = 8;

/**
 * Opens the fastest adapter with all the memory it offers (the defaults are 128 MiB a binding), or takes the
 * device it is given. Rejects with `device-unavailable`, or `device-limit` for a device that binds too few.
 */
export async function openGpu(given?: GPUDevice): Promise<Gpu> {
  if (given) return describe(checked(given), false, given.adapterInfo);
  const gpu = globalThis.navigator?.gpu;
  if (!gpu) throw new ModelError("device-unavailable", "this browser has no WebGPU");
  const found = gpu.requestAdapter({ powerPreference: "high-performance" }).catch(() => null);
  const adapter = await withDeadline(found, ADAPTER_MS, "WebGPU’s adapter").catch((error: unknown) => {
    throw new ModelError("device-unavailable", String(error));
  });
  if (!adapter) throw new ModelError("device-unavailable", "WebGPU found no adapter");
  const { limits, info, features } = adapter;
  const requiredFeatures = [SUBGROUPS, ...(hasEights(info) ? [SIZES] : [])].filter((name) =>
    features.has(name),
  );
  const requiredLimits = {
    maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
    maxBufferSize: limits.maxBufferSize,
    maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
    maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
    maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
    maxComputeWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
    maxComputeWorkgroupSizeY: limits.maxComputeWorkgroupSizeY,
    maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
  };
  const opened = adapter.requestDevice({ requiredLimits, requiredFeatures });
  const device = await withDeadline(opened, DEVICE_MS, "WebGPU’s device").catch((error: unknown) => {
    opened.then(
      (late) => late.destroy(),
      () => undefined,
    ); // nobody waits for it any more
    throw new ModelError("device-unavailable", `the adapter gave no device: ${String(error)}`);
  });
  return describe(checked(device), true, info);
}

function checked(device: GPUDevice): GPUDevice {
  const { maxStorageBuffersPerShaderStage: most } = device.limits;
  if (most < STORAGE_BUFFERS)
    throw new ModelError(
      "device-limit",
      `maxStorageBuffersPerShaderStage is ${most}, and the engine binds ${STORAGE_BUFFERS}`,
    );
  return device;
}

async function describe(device: GPUDevice, owned: boolean, info: GPUAdapterInfo | undefined): Promise<Gpu> {
  const words = [info?.vendor, info?.architecture, info?.device, info?.description];
  const text = [...new Set(words.filter((word) => word !== undefined && word !== ""))].join(" ");
  const software =
    info?.isFallbackAdapter === true || /swiftshader|llvmpipe|lavapipe|basic render/i.test(text);
  const nudge = new Nudge(device.queue);
  const lossGuard = new DeviceLossGuard(device, nudge);
  const latency = await withDeadline(nudge.measure(), IDLE_MS, "WebGPU’s queue").catch((error: unknown) => {
    if (owned) device.destroy();
    throw new ModelError("device-unavailable", `the device does nothing: ${String(error)}`);
  });
  const detail = `${text || "WebGPU"}${software ? " (software)" : ""}`;
  const subgroups = device.features.has(SUBGROUPS);
  const eights = subgroups && device.features.has(SIZES) && hasEights(info);
  return { device, lossGuard, latency, owned, detail, software, subgroups, eights };
}

const hasEights = (info: GPUAdapterInfo | undefined): boolean =>
  info?.subgroupMinSize === SMALL_SUBGROUP && info.subgroupMaxSize > SMALL_SUBGROUP;
