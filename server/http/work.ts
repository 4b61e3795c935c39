import { randomBytes } from "node:crypto";
import { IncomingMessage } from "node:http";
import type { Context, Hono } from "hono";
import { type ErrorCode, ProtocolError } from "../../protocol/errors.ts";
import { as, parseJson } from "../../protocol/guards.ts";
import { isServerNonce, type ServerNonce, type VolunteerKey } from "../../protocol/ids.ts";
import { MAX_JSON_BYTES } from "../../protocol/limits.ts";
import { parsePace, takesAudits } from "../../protocol/pace.ts";
import { SERVER_NONCE_HEADER, verifyRequest } from "../../protocol/request.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { SITE_HEADER } from "../../protocol/site.ts";
import { decodeUpload } from "../../protocol/upload.ts";
import { PROTOCOL_HEADER, PROTOCOL_VERSION } from "../../protocol/version.ts";
import { MinorGc } from "../lib/minor-gc.ts";
import { nodeChecks } from "../lib/signatures.ts";
import type { Turns } from "../lib/turns.ts";
import { addressOf } from "../net/address.ts";
import type { Edge } from "../net/edge.ts";
import {
  ADDRESS_RATE,
  KEY_RATE,
  MAX_ASKING,
  MAX_MIRRORED_BYTES,
  MAX_NONCES,
  MAX_POOLED_BYTES,
  MAX_RATE_ENTRIES,
  MAX_UPLOAD_MEMORY,
  MAX_UPLOADS,
} from "../net/limits.ts";
import { Networks, prefixOf } from "../net/network.ts";
import type { Place } from "../net/place.ts";
import { RateLimiter } from "../net/rate.ts";
import { Codes } from "../peers/codes.ts";
import type { Introductions } from "../peers/introductions.ts";
import type { RunService } from "../run/service.ts";
import { json } from "./answer.ts";
import { auditRoutes } from "./audits.ts";
import { targetOf } from "./gate.ts";
import { Nonces } from "./nonces.ts";
import { codeRoute, peerRoutes } from "./peers.ts";
import { peopleRoutes, type Sender, type Signed } from "./people.ts";
import { requireOurs } from "./recipient.ts";
import { limitUploads, type UploadLimiter, type UploadRoom } from "./upload-limiter.ts";

export interface WorkOptions {
  /** Proxies that stand in front and whose word on the client is believed (net/forwarded.ts); 0: none. */
  readonly proxies: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Origins by which clients reach this server; absent or empty: any. */
  readonly origins?: readonly string[];
  /** Where the run is on a server of several. */
  readonly place?: Place | undefined;
  /** Draws what signed requests must name (rule S3); tests say what. */
  readonly drawServerNonce?: () => ServerNonce;
  /** Hears who made a signed request, with what, and on which site's page it says it stands. */
  readonly asked?: (volunteer: VolunteerKey, userAgent: string | undefined, site: string | undefined) => void;
  /** Shares the time for checking uploads with the server's other runs; absent where there are none. */
  readonly uploadTurns?: Turns | undefined;
  /** Shares the memory for them likewise. */
  readonly uploadRoom?: UploadRoom | undefined;
  /** Hears how many bytes a volunteer says came from the mirror. */
  readonly mirrored?: (bytes: number) => void;
  /** Names the networks that senders come from; those of this process where none are given. */
  readonly networks?: Pick<Networks, "nameOf">;
  /** Takes deltas and nothing else: another server leads the run, and draws the nonces. */
  readonly follows?: boolean;
  /** Introduces browsers that share with each other; absent where the run does without. */
  readonly peers?: Introductions;
}

/**
 * The signed routes: ask for a ticket, send a delta, and what one asks about oneself. In order of cost: protocol
 * version, the address's rate, whom the request says it is for, the body's size, the signature, the key's rate (only
 * a proven key, or anyone could spend another's), the nonce; what the ticket itself says is the run's to judge.
 */
export function workRoutes(app: Hono<Edge>, service: RunService, options: WorkOptions): void {
  // Apart, or a thousand who wait for a ticket while a version is merged would keep every upload out.
  const uploads = limitUploads(MAX_UPLOADS, MAX_UPLOAD_MEMORY, MAX_POOLED_BYTES, options.uploadRoom);
  const asking = limitUploads(MAX_ASKING, MAX_ASKING * MAX_JSON_BYTES);
  const addresses = new RateLimiter(ADDRESS_RATE, MAX_RATE_ENTRIES, options.now);
  const keys = new RateLimiter(KEY_RATE, MAX_RATE_ENTRIES, options.now);
  const { run, server } = service.manifest();
  const nonces = new Nonces(MAX_NONCES, options.now, options.drawServerNonce ?? drawServerNonce);
  const ourselves = { run, origins: options.origins ?? [], place: options.place, nonces };
  const { networks = new Networks(), follows = false } = options;
  const networkOf = (c: Context<Edge>) => networks.nameOf(addressOf(c, options.proxies));
  const minorGc = new MinorGc();

  const tellNonce = (c: Context<Edge>) => c.header(SERVER_NONCE_HEADER, nonces.serverNonce);
  app.use(ROUTES.manifest, (c, next) => {
    tellNonce(c);
    return next();
  });

  const signed = <T>(
    c: Context<Edge>,
    limiter: UploadLimiter,
    limit: number,
    use: (sender: Sender, body: Uint8Array<ArrayBuffer>) => Promise<T>,
  ): Promise<T> => {
    // An upload's own nonce is its ticket's id, which is used once, whoever drew the other: so the answer brings none.
    const anyNonce = follows && limiter === uploads;
    if (!anyNonce) tellNonce(c);
    requireProtocol(c.req.header(PROTOCOL_HEADER));
    const address = addressOf(c, options.proxies);
    addresses.take(address);
    const header = (name: string) => c.req.header(name);
    const { origin, serverNonce } = requireOurs(header, ourselves, anyNonce);
    const { incoming } = c.env ?? {}; // a web request alone has none
    const request = incoming instanceof IncomingMessage ? incoming : c.req.raw;
    const check = async (body: Uint8Array<ArrayBuffer>): Promise<T> => {
      const asked = { method: c.req.method, path: targetOf(c), body };
      const sender = await verifyRequest(header, asked, server, nodeChecks);
      keys.take(sender.volunteer);
      options.asked?.(sender.volunteer, c.req.header("user-agent"), c.req.header(SITE_HEADER));
      return use({ ...sender, origin, serverNonce }, body);
    };
    // Only an upload's: a request for a ticket may wait long for its version.
    const turns = limiter === uploads ? options.uploadTurns : undefined;
    const inTurn = turns && ((body: Uint8Array<ArrayBuffer>) => turns.run(service, () => check(body)));
    return limiter.read(request, limit, inTurn ?? check, prefixOf(address));
  };

  app.post(ROUTES.tickets, (c) =>
    signed(c, asking, MAX_JSON_BYTES, async ({ volunteer, nonce, serverNonce }, body) => {
      const wish = parseJson(body);
      const pace = parsePace(wish);
      const audits = takesAudits(wish);
      nonces.use(volunteer, nonce, serverNonce);
      if (pace.mirrored !== undefined) options.mirrored?.(Math.min(pace.mirrored, MAX_MIRRORED_BYTES));
      const audit = audits ? await service.audit(volunteer, networkOf(c)) : undefined;
      if (audit !== undefined) return json(c, { audit });
      // A page that is closed while it waits for its turn would keep a place that others wait for.
      const { incoming, passed } = c.env ?? {};
      const gone = () => incoming?.socket?.destroyed === true || passed?.left.aborted === true;
      return json(c, { ticket: await service.ticket(volunteer, nonce, pace, gone) });
    }),
  );

  const once: Signed = (c, limit, use) =>
    signed(c, asking, limit, async (sender, body) => {
      nonces.use(sender.volunteer, sender.nonce, sender.serverNonce);
      return use(sender, body);
    });
  peopleRoutes(app, service, once, options.now);
  codeRoute(app, new Codes(options.now), options.proxies, once);
  auditRoutes(app, service, once);
  if (options.peers !== undefined) peerRoutes(app, service, options.peers, options.proxies, once);

  app.post(ROUTES.deltas, async (c) => {
    let reachedRun = false;
    try {
      return await signed(c, uploads, service.maxUploadBytes, async ({ volunteer, nonce }, body) => {
        minorGc.received(body.length);
        const upload = decodeUpload(body);
        reachedRun = true;
        return json(c, { receipt: await service.accept(volunteer, nonce, upload, networkOf(c)) });
      });
    } catch (error) {
      const code = codeOf(error);
      // What the run itself refused it has counted. A server nonce that is over refuses no delta: its sender signs for the
      // new one and sends it again at once, as everybody does after a restart (rule S3).
      if (!reachedRun && code !== "server-nonce-expired") service.countRefusal(code);
      throw error;
    }
  });
}

function requireProtocol(version: string | undefined): void {
  if (version === String(PROTOCOL_VERSION)) return;
  throw new ProtocolError("protocol-mismatch", `this server speaks protocol ${PROTOCOL_VERSION}`);
}

/** Bytes of a server nonce. */
const SERVER_NONCE_BYTES = 16;
const drawServerNonce = () =>
  as(isServerNonce, randomBytes(SERVER_NONCE_BYTES).toString("base64url"), "a server nonce");

const codeOf = (error: unknown): ErrorCode =>
  error instanceof ProtocolError ? error.code : "internal-error";
