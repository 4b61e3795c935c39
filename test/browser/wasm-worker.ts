import { runTicket, type WasmQuestion } from "./wasm-run.ts";

self.onmessage = async ({ data }: MessageEvent<WasmQuestion>) => {
  self.postMessage(await runTicket(data).catch(String));
};
