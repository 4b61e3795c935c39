import { TimedOut, withDeadline } from "../../../model/lib/deadline.ts";

/**
 * Milliseconds for making a key, and for describing an adapter, which takes as long as a graphics process needs to
 * start.
 */
const ANSWER_MS = 5_000;

/** Why a browser cannot take part, whatever its devices: no HTTPS, no signatures, or no answer from the browser. */
export interface WhyUnable {
  readonly why: "insecure" | "no-ed25519" | "stuck";
  readonly detail: string;
}

/** Why this page or browser cannot take part at all, before anything is fetched; undefined when it can. */
export async function whyUnable(): Promise<WhyUnable | undefined> {
  // Browsers withhold WebCrypto, WebGPU and Web Locks from plain HTTP, except on localhost.
  if (("isSecureContext" in globalThis && !globalThis.isSecureContext) || !globalThis.crypto?.subtle) {
    return { why: "insecure", detail: "the page was not loaded over HTTPS" };
  }
  try {
    const made = crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
    await withDeadline(made, ANSWER_MS, "the browser’s key maker");
    return undefined;
  } catch (error) {
    if (error instanceof TimedOut) return { why: "stuck", detail: error.message };
    return { why: "no-ed25519", detail: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * The key under which a probe's winner is remembered: the browser, its graphics adapter, the run's shape and the ways to
 * train that this release knows.
 */
export async function describeHost(model: object, candidates: readonly string[]): Promise<string> {
  return [navigator.userAgent, await describeAdapter(), Object.values(model).join("×"), ...candidates].join(
    " | ",
  );
}

async function describeAdapter(): Promise<string> {
  if (!("gpu" in navigator)) return "no WebGPU";
  const asked = withDeadline(navigator.gpu.requestAdapter(), ANSWER_MS, "WebGPU");
  const adapter = await asked.catch(() => null);
  if (adapter === null) return "no adapter";
  const { vendor, architecture, device, description } = adapter.info;
  return [vendor, architecture, device, description].join(" ");
}
