import { toBase64Url } from "../../protocol/bytes.ts";
import { createIdentity } from "../../protocol/identity.ts";
import { type Hash, isPeerId, type PeerId } from "../../protocol/ids.ts";
import type { Manifest } from "../../protocol/manifest.ts";
import type { SignedPosts } from "../transport/signed.ts";
import type { ToPage, ToWorker } from "./bridge.ts";
import { Hub } from "./hub.ts";
import { PeerJsNetwork } from "./peerjs.ts";
import { httpSeed } from "./seed.ts";

type Bytes = Uint8Array<ArrayBuffer>;

export interface SharingOptions {
  /** The server's origin. */
  readonly server: string;
  /** Signs and sends what is asked of that server. */
  readonly posts: SignedPosts;
  readonly manifest: Manifest;
  /** Bytes a second given to peers. */
  readonly uploadRate?: number;
  /** Bytes from and to peers since the last call. */
  readonly traffic?: (down: number, up: number) => void;
}

/** Sharing under way on this page. */
export interface Sharing {
  readonly hub: Hub;
  /** The other end of {@link PeerBridge}, to be handed to the trainer's Worker. */
  readonly port: MessagePort;
  close(): void;
}

/** Milliseconds the Worker has to make a snapshot's file. */
const MAKE_MS = 5_000;

/**
 * Begins to share with other browsers, after the visitor's consent. Its names and its key are drawn for this visit:
 * neither peers nor the server can tell by them which volunteer this is.
 */
export async function openSharing(options: SharingOptions): Promise<Sharing> {
  const { server, posts, manifest, uploadRate, traffic } = options;
  const names = { id: drawPeerId(), token: drawPeerId() };
  const identity = await createIdentity();
  const { port1: mine, port2: port } = new MessageChannel();
  const say = (message: ToWorker, transfer: Transferable[] = []) => mine.postMessage(message, transfer);
  const making = new Map<Hash, (bytes: Bytes | undefined) => void>();
  const make = (hash: Hash) =>
    new Promise<Bytes | undefined>((resolve) => {
      making.set(hash, resolve);
      setTimeout(resolve, MAKE_MS, undefined);
      say({ type: "make", hash });
    });
  const hub: Hub = new Hub({
    server: httpSeed(posts, identity, manifest, names),
    network: { dial: (peer) => network.dial(peer), hangUp: (peer) => network.hangUp(peer) },
    clock: () => performance.now(),
    after: (ms, callback) => {
      const timer = setTimeout(callback, ms);
      return () => clearTimeout(timer);
    },
    random: Math.random,
    ...(uploadRate !== undefined && { uploadRate }),
    ...(traffic !== undefined && { traffic }),
    make,
  });
  const network = new PeerJsNetwork({
    server,
    ...names,
    ice: manifest.peers?.ice ?? [],
    random: Math.random,
    announce: () => hub.join(),
    opened: (peer, channel) => hub.opened(peer, channel),
    heard: (peer, frame) => hub.heard(peer, frame),
    closed: (peer) => hub.closed(peer),
  });
  mine.onmessage = ({ data }: MessageEvent<ToPage>) => {
    if (data.type === "latest") hub.setLatest(data.hash);
    else if (data.type === "made") making.get(data.hash)?.(data.bytes);
    else void bring(data);
  };
  const bring = async ({ id, object, most }: Extract<ToPage, { type: "bring" }>) => {
    try {
      const { list, bytes } = await hub.bring(object, most, (sofar, total) => {
        say({ type: "progress", id, bytes: sofar, total });
      });
      say({ type: "brought", id, list, bytes }, [bytes.buffer]);
    } catch {
      say({ type: "failed", id }); // the Worker asks the server itself, and hears there what is wrong
    }
  };
  const moved = () => {
    network.moved();
    hub.moved();
  };
  addEventListener("online", moved);
  return {
    hub,
    port,
    close() {
      removeEventListener("online", moved);
      hub.close();
      network.close();
      mine.close();
    },
  };
}

/** PeerJS takes letters and digits only: 22 of them are 131 bits. */
function drawPeerId(): PeerId {
  for (;;) {
    const id = toBase64Url(crypto.getRandomValues(new Uint8Array(16)));
    if (isPeerId(id) && /^[A-Za-z0-9]+$/.test(id)) return id;
  }
}
