import { TimedOut, withDeadline } from "../../../model/lib/deadline.ts";
import { messageOf } from "../../../model/lib/message-of.ts";
import { generateKeyPair } from "../../../protocol/identity.ts";

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
    await withDeadline(generateKeyPair(false), ANSWER_MS, "the browser’s key maker");
    return undefined;
  } catch (error) {
    if (error instanceof TimedOut) return { why: "stuck", detail: error.message };
    return { why: "no-ed25519", detail: messageOf(error) };
  }
}

/**
 * The key under which a probe's winner is remembered: the browser, its graphics adapter, the run's shape, the ways to
 * train that this release knows, and the release itself, whose scripts are named by their hashes: another one's kernels are
 * checked again.
 */
export async function describeHost(model: object, candidates: readonly string[]): Promise<string> {
  return [
    navigator.userAgent,
    await describeAdapter(navigator.gpu),
    Object.values(model).join("×"),
    ...candidates,
    import.meta.url,
  ].join(" | ");
}

/**
 * The words by which an adapter is known again. A browser may hide all of it, or offer a WebGPU that does not work: whatever
 * fails here is no reason not to train, and the probe finds out.
 */
export async function describeAdapter(gpu: Pick<GPU, "requestAdapter"> | undefined): Promise<string> {
  if (!gpu) return "no WebGPU";
  const asked = (async () => (await gpu.requestAdapter()) ?? undefined)();
  const adapter = await withDeadline(asked, ANSWER_MS, "WebGPU").catch(() => undefined);
  if (adapter === undefined) return "no adapter";
  const info: Partial<GPUAdapterInfo> = adapter.info ?? {}; // older browsers have none
  return [info.vendor, info.architecture, info.device, info.description].join(" ");
}
