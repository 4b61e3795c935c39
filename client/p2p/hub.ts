import { type ChunkList, chunkLength } from "../../protocol/chunks.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { sha256 } from "../../protocol/identity.ts";
import { type Hash, type ObjectName, type PeerId, snapshotName } from "../../protocol/ids.ts";
import { WrongBytes } from "../transport/away.ts";
import { Announcer, type SeedServer } from "./announcer.ts";
import { Assembler } from "./assembler.ts";
import type { Channel, Network } from "./channel.ts";
import { Channels } from "./channels.ts";
import type { Command, PeerEvent, Shape, Source } from "./events.ts";
import { decodeMessage } from "./messages.ts";
import { Scheduler } from "./scheduler.ts";
import { Store } from "./store.ts";
import { type Brought, Waiters } from "./waiters.ts";

type Bytes = Uint8Array<ArrayBuffer>;

export interface HubOptions {
  readonly server: SeedServer;
  readonly network: Network;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  /** Calls back after `ms` milliseconds; what it returns cancels that. */
  readonly after: (ms: number, callback: () => void) => () => void;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Bytes a second given to peers. */
  readonly uploadRate?: number;
  /** Makes the newest snapshot's file; undefined where that is no longer possible. */
  readonly make?: (hash: Hash) => Promise<Bytes | undefined>;
  /** Bytes to and from peers. */
  readonly traffic?: (down: number, up: number) => void;
}

/** Times the server fails to give a chunk before a download is given up. */
const MAX_FAILURES = 3;
/** Milliseconds before the second try; each further wait is twice as long. */
const RETRY_MS = 500;

/**
 * Brings objects from peers and the server, and passes them on, as the scheduler decides. It holds the bytes and the
 * channels and checks every chunk. It knows no WebRTC (peerjs.ts does), so that tests join hubs by channels of their own.
 */
export class Hub {
  readonly #options: HubOptions;
  readonly #scheduler: Scheduler;
  readonly #announcer: Announcer;
  readonly #store = new Store();
  readonly #assembler = new Assembler();
  readonly #channels: Channels;
  readonly #waiters = new Waiters();
  #latest: Hash | undefined;
  #making = false;
  #failures = 0;
  #closed = false;
  #cancelWake: () => void = () => {};

  constructor(options: HubOptions) {
    this.#options = options;
    const { random, uploadRate, clock, traffic } = options;
    this.#channels = new Channels((bytes) => traffic?.(0, bytes));
    this.#announcer = new Announcer(
      options,
      () => ({ holds: this.#store.whole, latest: this.#latest !== undefined }),
      () => void this.#announce(),
    );
    this.#scheduler = new Scheduler({
      random,
      now: clock(),
      ...(uploadRate !== undefined && { uploadRate }),
    });
  }

  /** Peers connected now. */
  get connected(): number {
    return this.#scheduler.connected.length;
  }

  /** Tells the server that we are here, before anybody can be introduced to us. Rejects where it will not have us. */
  async join(): Promise<void> {
    await this.#announcer.join();
  }

  /**
   * An object, from any source that has it; its list's signature, every chunk and the whole are checked. Rejects when the
   * server, as the last resort, fails too.
   */
  async bring(
    object: ObjectName,
    most: number,
    progress: (bytes: number, total: number) => void = () => {},
  ): Promise<Brought> {
    const list = await this.#options.server.chunks(object, most);
    const whole = this.#store.copy(list.hash);
    if (whole !== undefined) return { list, bytes: whole };
    return new Promise((resolve, reject) => {
      this.#waiters.add(list.hash, { resolve, reject, progress });
      this.#store.begin(list);
      this.#take({ type: "wanted", shape: shapeOf(list) });
    });
  }

  /** The newest snapshot that {@link HubOptions.make} can make. */
  setLatest(hash: Hash | undefined): void {
    this.#latest = hash;
  }

  /** A channel is open, whoever dialled. */
  opened(peer: PeerId, channel: Channel): void {
    this.#channels.add(peer, channel);
    this.#take({ type: "opened", peer });
  }

  /** A channel was closed, or could not be opened. */
  closed(peer: PeerId): void {
    this.#channels.remove(peer);
    this.#assembler.forget(peer);
    this.#take({ type: "closed", peer });
  }

  /** A frame came; undefined for anything but bytes. */
  heard(peer: PeerId, frame: Bytes | undefined): void {
    if (!this.#channels.has(peer)) return;
    this.#options.traffic?.(frame?.length ?? 0, 0);
    try {
      const message = decodeMessage(frame ?? new Uint8Array());
      if (message.type !== "piece") {
        if (message.type === "busy") this.#assembler.excuse(peer, message.object, message.chunk);
        this.#take({ type: "heard", peer, message });
        return;
      }
      const chunk = this.#assembler.take(peer, message);
      if (chunk === "wrong") this.#take({ type: "misbehaved", peer });
      else if (chunk !== "more") void this.#check(peer, message.object, message.chunk, chunk);
    } catch {
      this.#take({ type: "misbehaved", peer });
    }
  }

  /** Our network changed: peers that left may be reachable again. */
  moved(): void {
    this.#take({ type: "moved" });
    void this.#announce();
  }

  close(): void {
    this.#closed = true;
    this.#cancelWake();
    this.#announcer.close();
    this.#channels.closeAll();
    this.#waiters.rejectAll(new WrongBytes("sharing has ended"));
  }

  #take(event: PeerEvent): void {
    if (this.#closed) return;
    const { clock, after } = this.#options;
    const now = clock();
    for (const command of this.#scheduler.take(event, now)) this.#obey(command);
    this.#cancelWake();
    const at = this.#scheduler.wakeAt;
    this.#cancelWake =
      at === undefined ? () => {} : after(Math.max(0, at - now), () => this.#take({ type: "woke" }));
  }

  #obey(command: Command): void {
    const { network } = this.#options;
    switch (command.type) {
      case "dial":
        network.dial(command.peer);
        return;
      case "close":
        this.#channels.close(command.peer);
        this.#assembler.forget(command.peer);
        network.hangUp(command.peer);
        return;
      case "send":
        this.#channels.send(command.peer, command.message);
        return;
      case "ask": {
        const { peer, object, chunk } = command;
        const list = this.#store.list(object);
        if (list === undefined) return;
        this.#assembler.expect(peer, object, chunk, chunkLength(list, chunk));
        this.#channels.send(peer, { type: "ask", object, chunk });
        return;
      }
      case "fetch":
        void this.#fetch(command.object, command.chunk);
        return;
      case "serve":
        this.#serve(command.peer, command.object, command.chunk);
        return;
      case "announce":
        void this.#announce(command.object);
        return;
      case "sought":
        void this.#makeLatest(command.object);
        return;
      case "complete":
        void this.#complete(command.object);
        return;
      case "report":
        this.#announcer.blame(command.peer);
        void this.#announce();
        return;
    }
  }

  #serve(peer: PeerId, object: Hash, chunk: number): void {
    // In a microtask: the scheduler must not be called while it is answering.
    const done = () => queueMicrotask(() => this.#take({ type: "sent", peer, object, chunk }));
    const bytes = this.#store.chunk(object, chunk);
    if (bytes === undefined) done();
    else this.#channels.sendChunk(peer, object, chunk, bytes, done);
  }

  async #fetch(object: Hash, chunk: number): Promise<void> {
    const list = this.#store.list(object);
    if (list === undefined) return;
    const from = chunk * list.size;
    try {
      const bytes = await this.#options.server.range(list.object, from, from + chunkLength(list, chunk));
      this.#failures = 0;
      await this.#check("server", object, chunk, bytes);
    } catch (error) {
      const lost = error instanceof ProtocolError && error.code === "not-found" && this.connected === 0;
      if (lost || ++this.#failures >= MAX_FAILURES) this.#giveUp(object, error);
      else this.#take({ type: "unserved", object, chunk, wait: RETRY_MS * 2 ** this.#failures });
    }
  }

  async #check(source: Source, object: Hash, chunk: number, bytes: Bytes): Promise<void> {
    const list = this.#store.list(object);
    if (list === undefined) return; // late: it is no longer wanted
    const good = await this.#store.put(object, chunk, bytes);
    this.#take({ type: "checked", source, object, chunk, good });
    this.#waiters.progress(object, this.#store.progress(object), list.length);
  }

  async #complete(object: Hash): Promise<void> {
    const list = this.#store.list(object);
    const bytes = this.#store.copy(object);
    if (list === undefined || bytes === undefined) return;
    if ((await sha256(bytes)) !== list.hash) {
      this.#giveUp(object, new WrongBytes(`${list.object} is not what its list says`));
      return;
    }
    this.#failures = 0;
    this.#waiters.resolve(object, { list, bytes });
    for (const gone of this.#store.shrink(object)) this.#take({ type: "dropped", object: gone });
    await this.#announce();
  }

  #giveUp(object: Hash, error: unknown): void {
    this.#failures = 0;
    this.#waiters.reject(object, error);
    this.#take({ type: "dropped", object });
  }

  /** A peer wants an object that is not here: if it is the newest snapshot, it can be made. */
  async #makeLatest(object: Hash): Promise<void> {
    const { make, server } = this.#options;
    if (make === undefined || object !== this.#latest || this.#making) return;
    this.#making = true;
    try {
      const bytes = await make(object);
      if (bytes === undefined) return;
      const list = await server.chunks(snapshotName(object), bytes.length);
      if (await this.#store.hold(list, bytes)) this.#take({ type: "held", shape: shapeOf(list) });
      for (const gone of this.#store.shrink(object)) this.#take({ type: "dropped", object: gone });
    } catch {
      // The peer then finds it elsewhere.
    } finally {
      this.#making = false;
    }
  }

  /** Tells the server what is here, and learns which peers have `wants`, or else what is waited for. */
  async #announce(wants?: Hash): Promise<void> {
    const object = wants ?? this.#waiters.first;
    const made = await this.#announcer.announce(object);
    if (object !== undefined && made !== undefined) this.#take({ type: "introduced", object, ...made });
  }
}

const shapeOf = ({ hash, length, size }: ChunkList): Shape => ({ hash, length, size });
