import { pino } from "pino";
import { toBase64Url } from "../protocol/bytes.ts";
import type { Identity } from "../protocol/identity.ts";
import type { ServerNonce, TicketId } from "../protocol/ids.ts";
import {
  ORIGIN_HEADER,
  type Recipient,
  RUN_HEADER,
  SERVER_NONCE_HEADER,
  signRequest,
} from "../protocol/request.ts";
import { encodeUpload } from "../protocol/upload.ts";
import { PROTOCOL_HEADER, PROTOCOL_VERSION } from "../protocol/version.ts";
import type { AppOptions } from "../server/http/app.ts";
import { createApp } from "../server/http/app.ts";
import { Assets, makeAsset } from "../server/http/assets.ts";
import type { RunService } from "../server/run/service.ts";
import { MANIFEST, ticketFor } from "./fake-service.ts";

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

/** What an app of these tests sends for requests to be signed for. */
const SERVER_NONCE = "s".repeat(21).concat("A") as ServerNonce;

/** Whom a request to an app with a FakeService is for. */
export const RECIPIENT: Recipient = {
  run: MANIFEST.run,
  server: MANIFEST.server,
  origin: "http://localhost",
  serverNonce: SERVER_NONCE,
};

export function edgeOptions(changes: Partial<AppOptions> = {}): AppOptions {
  return {
    assets: PAGES,
    log: pino({ level: "silent" }),
    proxies: 0,
    now: () => 0,
    drawServerNonce: () => SERVER_NONCE,
    closing: new AbortController().signal,
    ...changes,
  };
}

export const edge = (service: RunService | undefined, changes: Partial<AppOptions> = {}) =>
  createApp(service, edgeOptions(changes));

export const drawNonce = (): TicketId => toBase64Url(crypto.getRandomValues(new Uint8Array(16))) as TicketId;

/** The headers that any request needs before its body is read. */
export const ADDRESSED: Readonly<Record<string, string>> = {
  [PROTOCOL_HEADER]: String(PROTOCOL_VERSION),
  [RUN_HEADER]: RECIPIENT.run,
  [ORIGIN_HEADER]: RECIPIENT.origin,
  [SERVER_NONCE_HEADER]: RECIPIENT.serverNonce,
};

/** A signed POST as a volunteer makes it. */
export async function signedPost(
  identity: Identity,
  path: string,
  body: Uint8Array<ArrayBuffer>,
  nonce = drawNonce(),
  to = RECIPIENT,
): Promise<{ method: "POST"; body: Uint8Array<ArrayBuffer>; headers: Record<string, string> }> {
  const signed = await signRequest(identity, { method: "POST", path, body }, nonce, to);
  return { method: "POST", body, headers: { ...signed, [PROTOCOL_HEADER]: String(PROTOCOL_VERSION) } };
}

const REPORT = { loss: 1, trainMs: 5, device: "test" };
/** A delta's upload, on a ticket of that id. */
export const upload = (identity: Identity, id = drawNonce()) => ({
  id,
  body: encodeUpload(ticketFor(identity.key, id), REPORT, new Uint8Array([1, 2, 3])),
});

/** The status and the error of a refusal. */
export async function refusal(
  response: Response,
): Promise<{ status: number; code: string; retryAfterMs?: number }> {
  const { error }: { error: { code: string; retryAfterMs?: number } } = await response.json();
  return { status: response.status, ...error };
}
