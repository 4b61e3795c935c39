import { Bits } from "../../client/p2p/bits.ts";
import type { Channel } from "../../client/p2p/channel.ts";
import { decodeMessage, encodeMessage, type Message, PIECE_BYTES } from "../../client/p2p/messages.ts";
import { PeerJsNetwork } from "../../client/p2p/peerjs.ts";
import { httpSeed } from "../../client/p2p/seed.ts";
import { openSharing, type Sharing } from "../../client/p2p/share.ts";
import { httpApi } from "../../client/transport/http.ts";
import { SignedPosts } from "../../client/transport/signed.ts";
import { toBase64Url } from "../../protocol/bytes.ts";
import { createIdentity, sha256 } from "../../protocol/identity.ts";
import { isPeerId, type PeerId, snapshotName } from "../../protocol/ids.ts";

/** A page that joins, serves, lies and stalls as a test (peers.test.ts) or a bench says. */
export interface PeersPage {
  /** Joins with consent given; bytes a second to give. */
  open(uploadRate?: number): Promise<void>;
  /** The snapshot, through peers and the server; its hash and how long it took, a ticket included. */
  bring(): Promise<{ readonly hash: string; readonly ms: number }>;
  /** The same without peers, in one request. */
  bringAlone(): Promise<{ readonly hash: string; readonly ms: number }>;
  connected(): number;
  /** Says that it has the snapshot, and gives wrong bytes, or none at all. Returns once it is known. */
  misbehave(how: "lie" | "stall"): Promise<void>;
  /** Chunks that a misbehaving page was asked for. */
  asked(): number;
  /** Bytes from and to peers. */
  traffic(): { down: number; up: number };
  leave(): void;
}

declare global {
  interface Window {
    peers: PeersPage;
  }
}

const MAX_LOOKS = 64 * 1024 * 1024;
const origin = location.origin;
const api = httpApi({ server: origin });
let sharing: Sharing | undefined;
let asked = 0;
const traffic = { down: 0, up: 0 };

const firstTicket = async () => {
  await api.ticket(await createIdentity(), {});
};

window.peers = {
  async open(uploadRate) {
    const count = (down: number, up: number) => {
      traffic.down += down;
      traffic.up += up;
    };
    const manifest = await api.manifest();
    sharing = await openSharing({
      posts: new SignedPosts({ server: origin }),
      ...{ server: origin, manifest, traffic: count },
      ...(uploadRate !== undefined && { uploadRate }),
    });
  },
  async bring() {
    const began = performance.now();
    const { hash } = await api.manifest();
    if (sharing === undefined) throw new Error("open first");
    const { bytes } = await sharing.hub.bring(snapshotName(hash), MAX_LOOKS);
    const found = await sha256(bytes);
    await firstTicket();
    return { hash: found, ms: performance.now() - began };
  },
  async bringAlone() {
    const began = performance.now();
    const { hash, parameters } = await api.manifest();
    const found = await sha256(await api.snapshot(hash, parameters));
    await firstTicket();
    return { hash: found, ms: performance.now() - began };
  },
  connected: () => sharing?.hub.connected ?? 0,
  async misbehave(how) {
    const manifest = await api.manifest();
    const [id, token] = [drawId(), drawId()];
    const seed = httpSeed(new SignedPosts({ server: origin }), await createIdentity(), manifest, {
      id,
      token,
    });
    const { hash, size, length } = await seed.chunks(snapshotName(manifest.hash), MAX_LOOKS);
    const channels = new Map<PeerId, Channel>();
    const network = new PeerJsNetwork({
      ...{ server: origin, id, token, ice: [], random: Math.random },
      announce: () => seed.announce({ holds: [hash], latest: false, wrong: [] }),
      opened: (peer, channel) => channels.set(peer, channel),
      closed: (peer) => channels.delete(peer),
      heard: (peer, frame) => {
        if (frame === undefined) return;
        const message = decodeMessage(frame);
        const say = (one: Message) => channels.get(peer)?.send(encodeMessage(one));
        if (message.type === "want") {
          say({ type: "have", object: hash, bits: Bits.full(Math.ceil(length / size)).bytes });
        }
        if (message.type !== "ask") return;
        asked++;
        if (how === "stall") return;
        const bytes = Math.min(size, length - message.chunk * size);
        for (let offset = 0; offset < bytes; offset += PIECE_BYTES) {
          const piece = new Uint8Array(Math.min(PIECE_BYTES, bytes - offset)).fill(7);
          say({ type: "piece", object: hash, chunk: message.chunk, offset, bytes: piece });
        }
      },
    });
    while (!network.signalling) await new Promise((resolve) => setTimeout(resolve, 20));
  },
  asked: () => asked,
  traffic: () => traffic,
  leave() {
    sharing?.close();
    sharing = undefined;
  },
};

function drawId(): PeerId {
  for (;;) {
    const id = toBase64Url(crypto.getRandomValues(new Uint8Array(16)));
    if (/^[A-Za-z0-9]+$/.test(id) && isPeerId(id)) return id;
  }
}
