import type { DeviceName } from "../../../model/contract/trainer.ts";

const DEVICES: readonly DeviceName[] = ["webgpu", "wasm", "webgl", "cpu"];

/** `?device=wasm` overrides the probe; anything else asks for nothing. */
export function deviceAsked(search: string): DeviceName | undefined {
  const asked = new URLSearchParams(search).get("device");
  return DEVICES.find((device) => device === asked);
}
