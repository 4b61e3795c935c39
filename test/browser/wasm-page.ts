import type { WasmAnswer, WasmQuestion } from "./wasm-run.ts";

/** Trains in a Worker, as the volunteer's page does. */
function askWasm(question: WasmQuestion): Promise<WasmAnswer | string> {
  const worker = new Worker(new URL("./wasm-worker.ts", import.meta.url), { type: "module" });
  return new Promise((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => resolve(message);
    worker.postMessage(question);
  });
}

declare global {
  var wasmEngine: { ask: typeof askWasm };
}
globalThis.wasmEngine = { ask: askWasm };
