import { pino } from "pino";
import { type ChunkList, signChunks } from "../../protocol/chunks.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { createIdentity, sha256 } from "../../protocol/identity.ts";
import { type Hash, type ObjectName, snapshotName } from "../../protocol/ids.ts";
import type { Manifest } from "../../protocol/manifest.ts";
import { createApp } from "../../server/http/app.ts";
import { Assets, makeAsset } from "../../server/http/assets.ts";
import { listen } from "../../server/net/listen.ts";
import { Introductions } from "../../server/peers/introductions.ts";
import { Signalling } from "../../server/peers/signalling.ts";
import { FakeService, MANIFEST, RUN } from "../fake-service.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** A real HTTP edge with introductions and signalling, over a run that has one snapshot and nothing else. */
export interface SharingSite {
  readonly origin: string;
  readonly snapshot: Hash;
  readonly introductions: Introductions;
  readonly signalling: Signalling;
  /** Bytes of the snapshot sent. */
  egress: number;
  close(): Promise<void>;
}

/** Serves `bytes` as the snapshot, and `files` (of test/browser/bundle.ts) as the page. */
export async function openSharingSite(
  bytes: Bytes,
  page: string,
  files: ReadonlyMap<string, string | Uint8Array>,
  chunkBytes?: number,
): Promise<SharingSite> {
  const server = await createIdentity();
  const snapshot = await sha256(bytes);
  const object = snapshotName(snapshot);
  const list = await signChunks(server.privateKey, { run: RUN, object }, bytes, chunkBytes);
  const manifest: Manifest = {
    ...MANIFEST,
    server: server.key,
    hash: snapshot,
    parameters: bytes.length >> 2,
    peers: { ice: [] },
  };
  class Service extends FakeService {
    override manifest = () => manifest;
    override snapshot = async (hash: Hash) => {
      if (hash !== snapshot) throw new ProtocolError("not-found", "no such snapshot");
      return bytes;
    };
    override chunks = async (name: ObjectName): Promise<ChunkList> => {
      if (name !== object) throw new ProtocolError("not-found", "no such object");
      return list;
    };
  }
  const text = (value: string | Uint8Array): Bytes =>
    typeof value === "string" ? new TextEncoder().encode(value) : new Uint8Array(value);
  const assets = new Assets([
    makeAsset("/", "text/html; charset=utf-8", text(page)),
    ...[...files].map(([path, body]) => makeAsset(path, "text/javascript; charset=utf-8", text(body))),
  ]);
  const now = () => performance.now();
  const log = pino({ level: "silent" });
  const closing = new AbortController();
  const introductions = new Introductions(now, Math.random);
  const signalling = new Signalling({ introductions, proxies: 0, now, log });
  const app = createApp(new Service(), {
    ...{ assets, log, proxies: 0, now, closing: closing.signal, peers: introductions },
    sent: (_, sent) => {
      site.egress += sent;
    },
  });
  const listening = await listen(app, {
    host: "127.0.0.1",
    port: 0,
    upgrades: signalling,
  });
  const site: SharingSite = {
    origin: `http://127.0.0.1:${listening.port}`,
    ...{ snapshot, introductions, signalling, egress: 0 },
    async close() {
      closing.abort();
      signalling.close();
      await listening.close(500);
    },
  };
  return site;
}
