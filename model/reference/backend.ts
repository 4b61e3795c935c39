import * as tf from "@tensorflow/tfjs-core";
import { ModelError } from "../contract/config.ts";
import type { DeviceName, DeviceReport } from "../contract/trainer.ts";
import { messageOf } from "../lib/message-of.ts";

/** A tfjs backend in use. tfjs has one current backend for the whole thread, so each use selects its own. */
export interface Backend {
  readonly report: DeviceReport;
  /** Largest tensor in bytes. */
  readonly tensorBytes: number;
  /** Resolves with the reason when the device is gone; a processor never is. */
  readonly lost: Promise<string>;
  /** Runs `work`, which must not await, with this backend current. */
  run<T>(work: () => T): T;
  /** Hands queued work to the device; resolves when it has done what was queued at the call before. */
  flush(): Promise<void>;
  /** Frees the device's memory, when nobody else uses this backend. */
  release(): void;
}

/** How often each backend is open, so that the last to leave frees it. */
const open = new Map<DeviceName, number>();
/** tfjs gives up one start when the next begins, so they queue. */
let starting: Promise<unknown> = Promise.resolve();

/**
 * Loads a tfjs backend's package and starts it; while it starts, tfjs can run nothing else. `wasmPath` is the
 * URL prefix, ending in "/", of the WASM backend's binaries; Node finds them beside the package. Rejects with
 * `device-unavailable`.
 */
export function openBackend(name: DeviceName, wasmPath?: string): Promise<Backend> {
  const opened = starting.then(() => start(name, wasmPath));
  starting = opened.catch(() => {});
  return opened;
}

async function start(name: DeviceName, wasmPath: string | undefined): Promise<Backend> {
  tf.enableProdMode(); // no console advice
  try {
    const specifics = await load(name, wasmPath);
    if (!(await tf.setBackend(name))) throw new Error("tfjs could not start it");
    open.set(name, (open.get(name) ?? 0) + 1);
    const release = once(() => leave(name));
    const run = <T>(work: () => T): T => {
      void tf.setBackend(name); // synchronous once started
      return work();
    };
    try {
      return { ...specifics(), run, release };
    } catch (error) {
      release();
      throw error;
    }
  } catch (error) {
    throw new ModelError("device-unavailable", `${name}: ${messageOf(error)}`);
  }
}

type Specifics = Pick<Backend, "report" | "tensorBytes" | "lost" | "flush">;

/** Loads the package, and returns what to ask of the backend once it runs. */
async function load(name: DeviceName, wasmPath: string | undefined): Promise<() => Specifics> {
  switch (name) {
    case "webgpu":
      return loadWebGpu();
    case "webgl":
      return loadWebGl();
    case "wasm":
      return loadWasm(wasmPath);
    case "cpu":
      await import("@tensorflow/tfjs-backend-cpu");
      return () => processor("cpu", "plain JavaScript");
  }
}

async function loadWebGpu(): Promise<() => Specifics> {
  if (!("gpu" in globalThis.navigator)) throw new Error("this browser has no WebGPU");
  const { WebGPUBackend } = await import("@tensorflow/tfjs-backend-webgpu");
  // Small tensors would otherwise be computed on the processor, and a broken GPU go unnoticed.
  tf.env().set("WEBGPU_CPU_FORWARD", false);
  return () => {
    const backend = tf.backend();
    if (!(backend instanceof WebGPUBackend)) throw new Error("another backend answers to its name");
    const { device } = backend;
    let before = Promise.resolve();
    return {
      report: gpuReport("webgpu", describe(device.adapterInfo), device.adapterInfo.isFallbackAdapter),
      tensorBytes: Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize),
      lost: new Promise((resolve) => {
        void device.lost.then(({ reason, message }) => resolve(`${reason}: ${message}`));
        // An op that failed, for lack of memory for instance, leaves zeros behind: no number is to be trusted now.
        device.addEventListener("uncapturederror", ({ error }) => resolve(error.message));
      }),
      flush: async () => {
        // submitQueue alone leaves an open pass behind, and throws where nothing is queued.
        backend.ensureCommandEncoderReady();
        backend.endComputePassEncoder();
        backend.submitQueue();
        const turn = before;
        before = device.queue.onSubmittedWorkDone();
        await turn;
      },
    };
  };
}

async function loadWebGl(): Promise<() => Specifics> {
  const { MathBackendWebGL } = await import("@tensorflow/tfjs-backend-webgl");
  tf.env().set("WEBGL_CPU_FORWARD", false);
  return () => {
    const backend = tf.backend();
    if (!(backend instanceof MathBackendWebGL)) throw new Error("another backend answers to its name");
    if (!tf.env().getBool("WEBGL_RENDER_FLOAT32_ENABLED")) throw new Error("it has no 32-bit floats");
    const { gl } = backend.gpgpu;
    let before = Promise.resolve();
    const unmasked = gl.getExtension("WEBGL_debug_renderer_info");
    const renderer = unmasked
      ? gl.getParameter(unmasked.UNMASKED_RENDERER_WEBGL)
      : gl.getParameter(gl.RENDERER);
    const side: unknown = gl.getParameter(gl.MAX_TEXTURE_SIZE);
    return {
      report: gpuReport("webgl", String(renderer), false),
      tensorBytes: 4 * Number(side) ** 2,
      lost: new Promise((resolve) => {
        gl.canvas.addEventListener("webglcontextlost", () => resolve("the WebGL context is lost"));
      }),
      flush: async () => {
        const turn = before;
        before = backend.gpgpu.createAndWaitForFence();
        await turn;
      },
    };
  };
}

async function loadWasm(wasmPath: string | undefined): Promise<() => Specifics> {
  const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
  // Its threads need cross-origin isolation, and their inlined script breaks under minification.
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  if (wasmPath !== undefined) setWasmPaths(wasmPath);
  const simd = await tf.env().getAsync("WASM_HAS_SIMD_SUPPORT");
  return () => processor("wasm", simd ? "1 thread, SIMD" : "1 thread, no SIMD");
}

function processor(device: DeviceName, detail: string): Specifics {
  return {
    report: { device, engine: "tfjs", detail, software: false },
    tensorBytes: 2 ** 31 - 1,
    lost: new Promise(() => {}),
    flush: async () => {},
  };
}

/** A processor that plays a GPU: SwiftShader (Chromium), llvmpipe (Mesa), WARP (Windows). */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|software|basic render/i;

function gpuReport(device: DeviceName, detail: string, fallback: boolean): DeviceReport {
  const software = fallback || SOFTWARE.test(detail);
  return { device, engine: "tfjs", detail: software ? `${detail} (software)` : detail, software };
}

function describe({ description, vendor, architecture, device }: GPUAdapterInfo): string {
  return description || [vendor, architecture, device].filter(Boolean).join(" ") || "unnamed adapter";
}

/** The last to leave frees the backend but keeps its factory: a package registers itself only once. */
function leave(name: DeviceName): void {
  const left = (open.get(name) ?? 1) - 1;
  open.set(name, left);
  if (left > 0) return;
  const factory = tf.findBackendFactory(name);
  tf.removeBackend(name);
  tf.registerBackend(name, factory);
}

function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (!done) work();
    done = true;
  };
}
