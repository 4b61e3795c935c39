import { type Browser, chromium } from "playwright-core";
import { inject } from "vitest";

/**
 * A real headless Chromium. With `webgpu`, on SwiftShader: WebGPU as specified, in software, so that machines
 * without a GPU test the same code. Chromium's own background traffic is off.
 */
export function launchChromium({ webgpu = false } = {}): Promise<Browser> {
  return chromium.launch({
    executablePath: inject("chromium"),
    args: [
      "--no-sandbox", // tests run as root in containers
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
      "--disable-quic",
      ...(webgpu ? ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"] : []),
    ],
  });
}
