import { type Browser, chromium } from "playwright-core";
import { inject } from "vitest";
import { chromiumFlags } from "./flags.ts";

/** A real headless Chromium, with WebGPU in software if asked for. */
export function launchChromium(options: { webgpu?: boolean; peers?: boolean } = {}): Promise<Browser> {
  return chromium.launch({ executablePath: inject("chromium"), args: chromiumFlags(options) });
}
