import type { UnableReason } from "./messages.ts";

/** Why this page or browser cannot take part at all, before anything is fetched; undefined when it can. */
export async function whyUnable(): Promise<{ why: UnableReason; detail: string } | undefined> {
  // Browsers withhold WebCrypto, WebGPU and Web Locks from plain HTTP, except on localhost.
  if (("isSecureContext" in globalThis && !globalThis.isSecureContext) || !globalThis.crypto?.subtle) {
    return { why: "insecure", detail: "the page was not loaded over HTTPS" };
  }
  try {
    await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
    return undefined;
  } catch (error) {
    return { why: "no-ed25519", detail: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * What a probe's winner is remembered for: the browser, its graphics adapter, the run's shape and the ways to
 * train that this release knows.
 */
export async function describeHost(model: object, candidates: readonly string[]): Promise<string> {
  return [navigator.userAgent, await describeAdapter(), Object.values(model).join("×"), ...candidates].join(
    " | ",
  );
}

async function describeAdapter(): Promise<string> {
  if (!("gpu" in navigator)) return "no WebGPU";
  const adapter = await navigator.gpu.requestAdapter().catch(() => null);
  if (adapter === null) return "no adapter";
  const { vendor, architecture, device, description } = adapter.info;
  return [vendor, architecture, device, description].join(" ");
}
