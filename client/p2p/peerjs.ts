import { type DataConnection, Peer } from "peerjs";
import { isPeerId, type PeerId } from "../../protocol/ids.ts";
import type { IceServer } from "../../protocol/manifest.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { Backoff } from "../transport/backoff.ts";
import { BUFFER_LOW, type Channel, type Network } from "./channel.ts";
import { MAX_PEERS } from "./limits.ts";

export interface PeerJsOptions {
  /** The server's address, where it signals. */
  readonly server: string;
  readonly id: PeerId;
  readonly token: PeerId;
  /** Empty: no third party is contacted. */
  readonly ice: readonly IceServer[];
  readonly random: () => number;
  /** Called before signalling is opened, each time: the server lets in whom it knows. */
  readonly announce: () => Promise<unknown>;
  readonly opened: (peer: PeerId, channel: Channel) => void;
  readonly heard: (peer: PeerId, frame: Uint8Array<ArrayBuffer> | undefined) => void;
  readonly closed: (peer: PeerId) => void;
}

/** Connections to us that are not open yet: more than a handful is somebody knocking without end. */
const MAX_KNOCKING = MAX_PEERS;

/**
 * Data channels by PeerJS, of which only signalling and the handshake are used: frames go over the bare RTCDataChannel.
 * PeerJS' own reconnecting misbehaves after a network loss, so a lost signalling socket gets a new Peer of the same id
 * after a while with jitter; channels that are open stay open meanwhile.
 */
export class PeerJsNetwork implements Network {
  readonly #options: PeerJsOptions;
  readonly #backoff: Backoff;
  readonly #connections = new Map<PeerId, DataConnection>();
  /** Peers without signalling, whose channels may still be open. */
  readonly #old = new Set<Peer>();
  /** To be dialled as soon as signalling is open. */
  readonly #early = new Set<PeerId>();
  #peer: Peer | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #knocking = 0;
  #closed = false;

  constructor(options: PeerJsOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.random);
    void this.#signal();
  }

  /** Whether signalling is open. */
  get signalling(): boolean {
    return this.#peer?.open === true;
  }

  dial(peer: PeerId): void {
    // Introductions may be there before signalling is; who dials in vain meanwhile gives up by itself.
    if (this.#peer?.open !== true) {
      this.#early.add(peer);
      return;
    }
    const options = { label: "murmuration", reliable: true, serialization: "raw" };
    const connection = this.#peer.connect(peer, options);
    if (connection === undefined) this.#options.closed(peer);
    else this.#attend(peer, connection);
  }

  hangUp(peer: PeerId): void {
    this.#early.delete(peer);
    const connection = this.#connections.get(peer);
    this.#connections.delete(peer);
    connection?.close();
  }

  /** Reconnects to signalling at once: the network is back, or another. */
  moved(): void {
    if (this.signalling || this.#closed) return;
    this.#backoff.reset();
    this.#later(0);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const peer of [this.#peer, ...this.#old]) peer?.destroy();
  }

  async #signal(): Promise<void> {
    const { server, id, token, ice, announce } = this.#options;
    try {
      await announce();
    } catch {
      this.#later(this.#backoff.next());
      return;
    }
    if (this.#closed) return;
    const { hostname, port, protocol, pathname } = new URL(server);
    const secure = protocol === "https:";
    const peer = new Peer(id, {
      host: hostname,
      port: Number(port) || (secure ? 443 : 80),
      path: `${pathname.replace(/\/$/, "")}${ROUTES.peers}/`,
      ...{ secure, token, debug: 0 },
      config: { iceServers: ice.map((one) => ({ ...one })) },
    });
    this.#peer = peer;
    peer.on("open", () => {
      this.#backoff.reset();
      for (const early of this.#early) this.dial(early);
      this.#early.clear();
    });
    peer.on("connection", (connection) => this.#knock(connection));
    peer.on("error", () => {}); // `disconnected`, and the connection's own end, report its consequences
    const lost = () => {
      if (this.#peer !== peer) return;
      this.#peer = undefined;
      if (!peer.destroyed) this.#old.add(peer);
      this.#prune();
      this.#later(this.#backoff.next());
    };
    peer.on("disconnected", lost);
    peer.on("close", lost);
  }

  #later(ms: number): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#signal(), ms);
  }

  /** Peers that have neither signalling nor a channel any more are let go. */
  #prune(): void {
    const used = new Set([...this.#connections.values()].map(({ provider }) => provider));
    for (const peer of this.#old) {
      if (used.has(peer)) continue;
      this.#old.delete(peer);
      peer.destroy();
    }
  }

  #knock(connection: DataConnection): void {
    const peer = connection.peer;
    if (!isPeerId(peer) || this.#knocking >= MAX_KNOCKING) {
      connection.close();
      return;
    }
    // Two that dial each other at once keep one channel: that of the lesser id.
    const own = this.#connections.get(peer);
    if (own !== undefined && !own.open && this.#options.id < peer) {
      connection.close();
      return;
    }
    this.#connections.delete(peer);
    own?.close();
    this.#knocking++;
    let waiting = true;
    const settled = () => {
      if (waiting) this.#knocking--;
      waiting = false;
    };
    connection.on("open", settled);
    connection.on("close", settled);
    setTimeout(() => {
      if (waiting) connection.close();
      settled();
    }, 10_000);
    this.#attend(peer, connection);
  }

  #attend(peer: PeerId, connection: DataConnection): void {
    this.#connections.set(peer, connection);
    const mine = () => this.#connections.get(peer) === connection;
    const end = () => {
      if (!mine()) return;
      this.#connections.delete(peer);
      this.#options.closed(peer);
      this.#prune();
    };
    connection.on("open", () => {
      if (mine()) this.#options.opened(peer, channelOf(connection, end));
      else connection.close();
    });
    connection.on("data", (data) => {
      if (mine()) this.#options.heard(peer, data instanceof ArrayBuffer ? new Uint8Array(data) : undefined);
    });
    connection.on("close", end);
    connection.on("error", () => {
      connection.close();
      end();
    });
  }
}

function channelOf(connection: DataConnection, end: () => void): Channel {
  const { dataChannel } = connection;
  dataChannel.bufferedAmountLowThreshold = BUFFER_LOW;
  return {
    send: (frame) => {
      try {
        dataChannel.send(frame);
      } catch {
        end(); // it closed under our hands
      }
    },
    get buffered() {
      return dataChannel.bufferedAmount;
    },
    whenLow: (callback) => dataChannel.addEventListener("bufferedamountlow", callback, { once: true }),
    close: () => connection.close(),
  };
}
