import { chunksIn } from "../../protocol/chunks.ts";
import type { Hash, PeerId } from "../../protocol/ids.ts";
import { announce, asksFor, nextWake, type Swarm } from "./asking.ts";
import { Bits } from "./bits.ts";
import { Download } from "./download.ts";
import type { Command, PeerEvent, Shape } from "./events.ts";
import { ASK_MS, FEW_PEERS, IDLE_MS, MAX_DIALLED, MAX_PEERS, MAX_WANTED, UPLOAD_RATE } from "./limits.ts";
import type { Message } from "./messages.ts";
import { Peer } from "./peer.ts";
import { Uploads } from "./uploads.ts";

export interface SchedulerOptions {
  /** From 0 to 1. */
  readonly random: () => number;
  /** Bytes a second given to peers. */
  readonly uploadRate?: number;
  readonly now: number;
}

/**
 * Who is asked for which chunk, and who is given one: events in, commands out. Knows no WebRTC, no clock and no
 * bytes, so that a browser, a test and a simulation of a thousand volunteers run the same code. Every chunk is the
 * work of one source, so whoever sent a wrong one is known (rule K9).
 */
export class Scheduler {
  readonly #random: () => number;
  readonly #uploads: Uploads;
  readonly #peers = new Map<PeerId, Peer>();
  readonly #downloads = new Map<Hash, Download>();
  readonly #known: Swarm = { peers: this.#peers, downloads: this.#downloads };
  /** Objects at hand whole. */
  readonly #held = new Map<Hash, Shape>();
  /** Peers that lied or stalled: not asked again, and not let in. */
  readonly #shunned = new Set<PeerId>();
  /** Peers that left: not dialled again, unless it was we who moved. */
  readonly #left = new Set<PeerId>();
  #swarm = 2;
  #out: Command[] = [];
  #wakeAt: number | undefined;

  constructor({ random, uploadRate = UPLOAD_RATE, now }: SchedulerOptions) {
    this.#random = random;
    this.#uploads = new Uploads(uploadRate, now);
  }

  /** What an event leads to. `now` is monotonic, in milliseconds. */
  take(event: PeerEvent, now: number): Command[] {
    this.#out = [];
    this.#hear(event, now);
    this.#lose(now);
    for (const download of this.#downloads.values()) this.#out.push(...asksFor(download, this.#known, now));
    for (const serving of this.#uploads.next(now)) this.#out.push({ type: "serve", ...serving });
    this.#wakeAt = nextWake(this.#known, this.#uploads.wakeAt(now), now);
    return this.#out;
  }

  /** When {@link take} wants to be woken; undefined when nothing waits for time. */
  get wakeAt(): number | undefined {
    return this.#wakeAt;
  }

  /** Open connections. */
  get connected(): readonly PeerId[] {
    return [...this.#peers].filter(([, { open }]) => open).map(([id]) => id);
  }

  isShunned(peer: PeerId): boolean {
    return this.#shunned.has(peer);
  }

  /** Whether this chunk was asked of this peer and has not come yet. */
  expects(peer: PeerId, object: Hash, chunk: number): boolean {
    return (
      this.#downloads.get(object)?.asks.some((ask) => ask.source === peer && ask.chunk === chunk) ?? false
    );
  }

  #hear(event: PeerEvent, now: number): void {
    switch (event.type) {
      case "wanted":
        this.#want(event.shape, now);
        return;
      case "held":
        this.#hold(event.shape);
        return;
      case "dropped":
        this.#drop(event.object);
        return;
      case "introduced":
        this.#introduce(event, now);
        return;
      case "opened":
        this.#open(event.peer, now);
        return;
      case "closed":
        if (this.#peers.has(event.peer)) this.#left.add(event.peer);
        this.#forget(event.peer);
        return;
      case "heard":
        this.#listen(event.peer, event.message, now);
        return;
      case "misbehaved":
        this.#shun(event.peer);
        return;
      case "checked":
        this.#check(event, now);
        return;
      case "unserved": {
        const download = this.#downloads.get(event.object);
        download?.end("server", event.chunk);
        if (download) download.serverRests = now + event.wait;
        return;
      }
      case "sent":
        this.#uploads.sent(event.peer);
        return;
      case "moved":
        this.#left.clear();
        return;
      case "woke":
        return;
    }
  }

  #want(shape: Shape, now: number): void {
    if (this.#downloads.has(shape.hash) || this.#held.has(shape.hash)) return;
    const download = new Download(shape, now, this.#random);
    this.#downloads.set(shape.hash, download);
    for (const [id, { open }] of this.#peers) if (open) this.#send(id, { type: "want", object: shape.hash });
    if (this.connected.length >= FEW_PEERS) download.setShare(this.#swarm, 0);
    else this.#out.push(announce(download, now));
  }

  #hold(shape: Shape): void {
    if (this.#held.has(shape.hash)) return;
    this.#downloads.delete(shape.hash);
    this.#held.set(shape.hash, shape);
    for (const [id, { wants }] of this.#peers) {
      if (wants.has(shape.hash)) this.#tellAll(id, shape.hash);
    }
  }

  #drop(object: Hash): void {
    const wasWanted = this.#downloads.delete(object);
    this.#held.delete(object);
    for (const { peer, chunk } of this.#uploads.drop(object))
      this.#send(peer, { type: "busy", object, chunk });
    for (const [id, { open, wants }] of this.#peers) {
      if (open && wasWanted) this.#send(id, { type: "done", object });
      if (wants.has(object)) this.#send(id, { type: "gone", object });
    }
  }

  #introduce(event: Extract<PeerEvent, { type: "introduced" }>, now: number): void {
    const { object, peers, swarm, holders } = event;
    this.#swarm = Math.max(2, swarm);
    const download = this.#downloads.get(object);
    if (download && !download.introduced) {
      download.introduced = true;
      if (peers.length > 0) download.setShare(swarm, holders);
    }
    let dialled = 0;
    for (const { dialled: ours } of this.#peers.values()) if (ours) dialled++;
    for (const peer of peers) {
      if (dialled >= MAX_DIALLED || this.#peers.size >= MAX_PEERS) return;
      if (this.#peers.has(peer) || this.#shunned.has(peer) || this.#left.has(peer)) continue;
      this.#peers.set(peer, new Peer(true, now));
      this.#out.push({ type: "dial", peer });
      dialled++;
    }
  }

  #open(id: PeerId, now: number): void {
    const known = this.#peers.get(id);
    if (this.#shunned.has(id) || (known === undefined && !this.#makeRoom(now))) {
      this.#out.push({ type: "close", peer: id });
      return;
    }
    const peer = known ?? new Peer(false, now);
    peer.opened(now);
    this.#peers.set(id, peer);
    this.#uploads.open(id);
    for (const object of this.#downloads.keys()) this.#send(id, { type: "want", object });
  }

  /** With every place taken, one goes that came to us, wants nothing of us and has nothing for us. */
  #makeRoom(now: number): boolean {
    if (this.#peers.size < MAX_PEERS) return true;
    for (const [id, peer] of this.#peers) {
      if (!peer.isIdle(now) || [...this.#downloads.values()].some((download) => download.lacksFrom(id)))
        continue;
      this.#out.push({ type: "close", peer: id });
      this.#forget(id);
      return true;
    }
    return false;
  }

  #listen(id: PeerId, message: Exclude<Message, { type: "piece" }>, now: number): void {
    const peer = this.#peers.get(id);
    if (peer === undefined || !peer.open) return;
    const { object } = message;
    const download = this.#downloads.get(object);
    switch (message.type) {
      case "want":
        peer.wants.add(object);
        if (peer.wants.size > MAX_WANTED) {
          this.#shun(id);
          return;
        }
        if (!download && !this.#held.has(object)) this.#out.push({ type: "sought", object });
        this.#tellAll(id, object);
        return;
      case "done":
        peer.wants.delete(object);
        return;
      case "have":
        if (download && !download.setTheirs(id, message.bits)) this.#shun(id);
        return;
      case "got":
        if (download && !download.addTheirs(id, message.chunk)) this.#shun(id);
        return;
      case "gone":
        download?.forget(id);
        return;
      case "busy":
        if (download?.end(id, message.chunk) && peer.saidBusy(now, this.#random())) download.forget(id);
        return;
      case "ask":
        this.#asked(id, object, message.chunk);
        return;
    }
  }

  #asked(id: PeerId, object: Hash, chunk: number): void {
    const download = this.#downloads.get(object);
    const shape = this.#held.get(object) ?? (download?.mine.has(chunk) ? download.shape : undefined);
    if (shape !== undefined && chunk * shape.size >= shape.length) {
      this.#shun(id);
      return;
    }
    const answer = shape === undefined ? "busy" : this.#uploads.ask(id, shape, chunk);
    if (answer === "busy") this.#send(id, { type: "busy", object, chunk });
    else if (answer === "greedy") this.#shun(id);
  }

  #check(event: Extract<PeerEvent, { type: "checked" }>, now: number): void {
    const { source, object, chunk, good } = event;
    const download = this.#downloads.get(object);
    download?.end(source, chunk);
    if (!good) {
      if (source === "server") {
        if (download) download.serverRests = now + IDLE_MS;
        return;
      }
      if (download) download.bad++;
      this.#out.push({ type: "report", peer: source, object, chunk });
      this.#shun(source);
      return;
    }
    if (source !== "server") this.#peers.get(source)?.gaveChunk();
    if (download === undefined || download.mine.has(chunk)) return;
    download.mine.add(chunk);
    download.busyAt = now;
    for (const [id, { wants }] of this.#peers) {
      if (wants.has(object)) this.#send(id, { type: "got", object, chunk });
    }
    if (!download.mine.whole) return;
    this.#hold(download.shape);
    for (const [id, { open }] of this.#peers) if (open) this.#send(id, { type: "done", object });
    this.#out.push({ type: "complete", object });
  }

  /** Lets go of those whose time is up. */
  #lose(now: number): void {
    for (const [id, peer] of this.#peers) {
      if (now < (peer.lostAt ?? Number.POSITIVE_INFINITY)) continue;
      this.#out.push({ type: "close", peer: id });
      this.#left.add(id);
      this.#forget(id);
    }
    for (const download of this.#downloads.values()) {
      const stalled = new Set(
        download.asks.filter(({ at }) => now - at >= ASK_MS).map(({ source }) => source),
      );
      for (const source of stalled) {
        if (source === "server") continue; // its transport has a watchdog of its own
        download.bad++;
        this.#shun(source);
      }
    }
  }

  /** Tells a peer all that we have of an object. */
  #tellAll(id: PeerId, object: Hash): void {
    const held = this.#held.get(object);
    const download = this.#downloads.get(object);
    if (held !== undefined) {
      const chunks = chunksIn(held.length, held.size);
      this.#send(id, { type: "have", object, bits: Bits.full(chunks).bytes });
    } else if (download !== undefined && download.mine.size > 0) {
      this.#send(id, { type: "have", object, bits: download.mine.bytes.slice() });
    }
  }

  #send(peer: PeerId, message: Message): void {
    this.#out.push({ type: "send", peer, message });
  }

  #shun(id: PeerId): void {
    this.#shunned.add(id);
    if (!this.#peers.has(id)) return;
    this.#out.push({ type: "close", peer: id });
    this.#forget(id);
  }

  #forget(id: PeerId): void {
    this.#peers.delete(id);
    this.#uploads.close(id);
    for (const download of this.#downloads.values()) {
      download.forget(id);
      download.endAll(id);
    }
  }
}
