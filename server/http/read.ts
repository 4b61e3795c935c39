import type { Context, Hono } from "hono";
import { ProtocolError } from "../../protocol/errors.ts";
import { isCanonical, isHash, isObjectName, isTicketId, isVolunteerKey } from "../../protocol/ids.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { addressOf } from "../net/address.ts";
import type { Edge } from "../net/edge.ts";
import { IMMUTABLE, NO_STORE, REVALIDATE } from "../net/headers.ts";
import { MAX_RATE_ENTRIES, MAX_READ_CACHE, MAX_READS, READ_RATE, RECORD_UNIT } from "../net/limits.ts";
import { NO_PLACE, type Place, pathFor } from "../net/place.ts";
import { RateLimiter } from "../net/rate.ts";
import type { RunService } from "../run/service.ts";
import { JSON_TYPE, json, tagged, whole } from "./answer.ts";
import { ranged } from "./range.ts";
import { SharedReads } from "./shared-reads.ts";

/** The public API that only reads (docs/PROTOCOL.md §2): anyone may ask, nothing changes. */
const BYTES = "application/octet-stream";

/** Patterns of a path's last part: any other spelling is no route at all, whatever the method. */
const NAMES = {
  hash: "[0-9a-f]{64}",
  number: "(?:0|[1-9][0-9]{0,14})",
  ticket: "[A-Za-z0-9_-]{22}",
  key: "[A-Za-z0-9_-]{43}",
} as const;
type Bytes = Uint8Array<ArrayBuffer>;

export interface ReadOptions {
  /** Proxies that stand in front and whose word on the client is believed (net/forwarded.ts); 0: none. */
  readonly proxies: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Where the run is on a server of several. */
  readonly place?: Place | undefined;
  /** Files in memory, where they are shared with the server's other runs. */
  readonly reads?: SharedReads | undefined;
  /** Hears how many bytes of what were sent: what peers may take over. */
  readonly sent?: (kind: "snapshots" | "diffs" | "shards", bytes: number) => void;
}

/** Room for the files that a server keeps for the next reader. */
export const newReads = (): SharedReads => new SharedReads({ bytes: MAX_READ_CACHE, reading: MAX_READS });

export function readRoutes(app: Hono<Edge>, service: RunService, options: ReadOptions): void {
  const kept = options.reads ?? newReads();
  const { run } = service.manifest();
  /** Of two runs each has its own diff from version 3 to 4. */
  const reads = { read: (name: string, read: () => Promise<Bytes>) => kept.read(`${run}/${name}`, read) };
  const addresses = new RateLimiter(READ_RATE, MAX_RATE_ENTRIES, options.now);
  for (const costly of ["snapshots", "shards", "diffs", "chunks", "versions", "proofs", "audits"]) {
    app.use(`/api/${costly}/*`, (c, next) => {
      addresses.take(addressOf(c, options.proxies));
      return next();
    });
  }
  /** A record lists all that was merged, and may be a thousand deltas. */
  const recorded = (c: Context<Edge>, value: unknown, cache: string) => {
    const text = JSON.stringify(value);
    addresses.charge(addressOf(c, options.proxies), text.length / RECORD_UNIT);
    return whole(c, text, 200, { "content-type": JSON_TYPE, "cache-control": cache });
  };
  type Kind = Parameters<NonNullable<ReadOptions["sent"]>>[0];
  const object = (c: Context<Edge>, kind: Kind, tag: string, cache: string, body: () => Promise<Bytes>) =>
    ranged(c, { tag, type: BYTES, cache, body, sent: (bytes) => options.sent?.(kind, bytes) });
  app.get(ROUTES.run, (c) => json(c, service.status()));
  const { place = NO_PLACE, proxies } = options;
  app.get(ROUTES.manifest, (c) => {
    const path = pathFor((name) => c.req.header(name), place, proxies);
    return json(c, { ...service.manifest(), ...(path !== "" && { path }) });
  });
  app.get(ROUTES.tokenizer, (c) =>
    tagged(c, service.manifest().tokenizer, "application/json; charset=utf-8", () => service.tokenizer()),
  );
  app.get(ROUTES.latestSnapshot, (c) => {
    const { hash, bytes } = service.latestSnapshot();
    c.header("content-disposition", `attachment; filename="${hash}.safetensors"`);
    return tagged(c, hash, BYTES, () => bytes);
  });
  app.get(`/api/snapshots/:file{${NAMES.hash}\\.safetensors}`, (c) => {
    const hash = c.req.param("file").replace(/\.safetensors$/, "");
    if (!isHash(hash) || c.req.path !== ROUTES.snapshot(hash)) throw missing();
    return object(c, "snapshots", hash, IMMUTABLE, () => reads.read(hash, () => service.snapshot(hash)));
  });
  app.get(`/api/shards/:hash{${NAMES.hash}}`, (c) => {
    const hash = c.req.param("hash");
    if (!isHash(hash)) throw missing();
    return object(c, "shards", hash, IMMUTABLE, () => reads.read(hash, () => service.shard(hash)));
  });
  // Only its auditors know its name: no cache keeps it.
  app.get(`/api/audits/:hash{${NAMES.hash}}`, (c) => {
    const hash = c.req.param("hash");
    if (!isHash(hash)) throw missing();
    return tagged(c, hash, BYTES, () => service.auditedDelta(hash), NO_STORE);
  });
  // Named by number, and another run on this address would use the same numbers: revalidated each time.
  app.get(`/api/diffs/:version{${NAMES.number}}`, (c) => {
    const version = c.req.param("version");
    if (!/^(?:0|[1-9]\d{0,14})$/.test(version)) throw missing();
    const tag = `${service.manifest().run}-${version}`;
    return object(c, "diffs", tag, REVALIDATE, () =>
      reads.read(version, () => service.diff(Number(version))),
    );
  });
  app.get(`/api/diffs/:name{${NAMES.number}-${NAMES.hash}}`, (c) => {
    const [version, hash] = c.req.param("name").split("-");
    if (!isHash(hash)) throw missing();
    return object(c, "diffs", hash, IMMUTABLE, () =>
      reads.read(c.req.param("name"), () => service.diff(Number(version), hash)),
    );
  });
  app.get("/api/chunks/:kind/:name", async (c) => {
    const name = `${c.req.param("kind")}/${c.req.param("name")}`;
    if (!isObjectName(name)) throw missing();
    return json(
      c,
      { chunks: await service.chunks(name) },
      name.startsWith("diffs/") ? REVALIDATE : IMMUTABLE,
    );
  });
  app.get(`/api/versions/:version{${NAMES.number}}`, async (c) => {
    const version = c.req.param("version");
    if (!/^[1-9]\d{0,14}$/.test(version)) throw missing();
    return recorded(c, { record: await service.versionRecord(Number(version)) }, REVALIDATE);
  });
  app.get(`/api/proofs/:ticket{${NAMES.ticket}}`, async (c) => {
    const ticket = c.req.param("ticket");
    if (!isTicketId(ticket) || !isCanonical(ticket)) throw missing();
    // Null and no refusal while the delta waits: that is the usual answer, and a page's console no place for it.
    const proof = await service.proof(ticket).catch((error: unknown) => {
      if (error instanceof ProtocolError && error.code === "not-found") return null;
      throw error;
    });
    return recorded(c, { proof }, NO_STORE);
  });
  app.get(`/api/volunteers/:key{${NAMES.key}}`, (c) => {
    const key = c.req.param("key");
    if (!isVolunteerKey(key) || !isCanonical(key)) throw missing();
    return json(c, service.credit(key));
  });
}

const missing = () => new ProtocolError("not-found", "there is nothing of that name");
