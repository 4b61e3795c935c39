import { pino } from "pino";
import { toBase64Url } from "../protocol/bytes.ts";
import type { Identity } from "../protocol/identity.ts";
import type { TicketId } from "../protocol/ids.ts";
import { signRequest } from "../protocol/request.ts";
import { PROTOCOL_HEADER } from "../protocol/version.ts";
import { createApp } from "../server/http/app.ts";
import { Assets, makeAsset } from "../server/http/assets.ts";
import type { EdgeOptions } from "../server/http/edge.ts";
import type { RunService } from "../server/http/service.ts";

/** What tests of the HTTP edge share: an app with pages, and signed requests. */
const text = (value: string) => new TextEncoder().encode(value);
const html = (name: string) => text(`<!doctype html><title>${name}</title>${"x".repeat(1_000)}`);

export const PAGES = new Assets([
  makeAsset("/", "text/html; charset=utf-8", html("volunteer")),
  makeAsset("/status", "text/html; charset=utf-8", html("status")),
  makeAsset("/frame", "text/html; charset=utf-8", html("frame")),
  makeAsset("/norun", "text/html; charset=utf-8", html("no run")),
  makeAsset("/embed.js", "text/javascript; charset=utf-8", text("embed()")),
  makeAsset("/assets/page-abc123.js", "text/javascript; charset=utf-8", text("1;".repeat(1_000))),
  makeAsset("/assets/logo-abc123.png", "image/png", new Uint8Array(2_000)),
]);

export function edgeOptions(changes: Partial<EdgeOptions> = {}): EdgeOptions {
  return {
    assets: PAGES,
    log: pino({ level: "silent" }),
    proxies: 0,
    now: () => 0,
    closing: new AbortController().signal,
    ...changes,
  };
}

export const edge = (service: RunService | undefined, changes: Partial<EdgeOptions> = {}) =>
  createApp(service, edgeOptions(changes));

export const drawNonce = (): TicketId => toBase64Url(crypto.getRandomValues(new Uint8Array(16))) as TicketId;

/** A signed POST as a volunteer makes it. */
export async function signedPost(
  identity: Identity,
  path: string,
  body: Uint8Array<ArrayBuffer>,
  nonce = drawNonce(),
): Promise<{ method: "POST"; body: Uint8Array<ArrayBuffer>; headers: Record<string, string> }> {
  const signature = await signRequest(identity, "POST", path, body, nonce);
  return { method: "POST", body, headers: { ...signature, [PROTOCOL_HEADER]: "1" } };
}
