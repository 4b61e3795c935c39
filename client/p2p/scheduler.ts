import { chunksIn } from "../../protocol/chunks.ts";
import type { Hash, PeerId } from "../../protocol/ids.ts";
import { announce, asksFor, nextWake, type Swarm } from "./asking.ts";
import { Bits } from "./bits.ts";
import { Download } from "./download.ts";
import type { Command, PeerEvent, Shape } from "./events.ts";
import { FEW_PEERS, IDLE_MS, MAX_WANTED, UPLOAD_RATE } from "./limits.ts";
import type { Message } from "./messages.ts";
import { Roster } from "./roster.ts";
import { Uploads } from "./uploads.ts";

export interface SchedulerOptions {
  /** From 0 to 1. */
  readonly random: () => number;
  /** Bytes a second given to peers. */
  readonly uploadRate?: number;
  readonly now: number;
}

/**
 * Decides which peer is asked for which chunk, and which is given one: events in, commands out. Knows no WebRTC, no clock
 * and no bytes, so that a browser, a test and a simulation of a thousand volunteers run the same code. Every chunk comes
 * from one source, so the sender of a wrong one is known (rule K9).
 */
export class Scheduler {
  readonly #random: () => number;
  readonly #uploads: Uploads;
  readonly #roster = new Roster();
  readonly #downloads = new Map<Hash, Download>();
  readonly #known: Swarm = { peers: this.#roster.peers, downloads: this.#downloads };
  /** Objects at hand whole. */
  readonly #held = new Map<Hash, Shape>();
  #swarm = 2;
  #out: Command[] = [];
  #wakeAt: number | undefined;

  constructor({ random, uploadRate = UPLOAD_RATE, now }: SchedulerOptions) {
    this.#random = random;
    this.#uploads = new Uploads(uploadRate, now);
  }

  /** Takes in an event and returns its commands. `now` is monotonic, in milliseconds. */
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
    return this.#roster.connected;
  }

  isShunned(peer: PeerId): boolean {
    return this.#roster.isShunned(peer);
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
        this.#roster.leave(event.peer);
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
        this.#roster.moved();
        return;
      case "woke":
        return;
    }
  }

  #want(shape: Shape, now: number): void {
    if (this.#downloads.has(shape.hash) || this.#held.has(shape.hash)) return;
    const download = new Download(shape, now, this.#random);
    this.#downloads.set(shape.hash, download);
    for (const id of this.connected) this.#send(id, { type: "want", object: shape.hash });
    if (this.connected.length >= FEW_PEERS) download.setShare(this.#swarm, 0);
    else this.#out.push(announce(download, now));
  }

  #hold(shape: Shape): void {
    if (this.#held.has(shape.hash)) return;
    this.#downloads.delete(shape.hash);
    this.#held.set(shape.hash, shape);
    for (const id of this.#roster.wanting(shape.hash)) this.#tellAll(id, shape.hash);
  }

  #drop(object: Hash): void {
    const wasWanted = this.#downloads.delete(object);
    this.#held.delete(object);
    for (const { peer, chunk } of this.#uploads.drop(object)) {
      this.#send(peer, { type: "busy", object, chunk });
    }
    if (wasWanted) for (const id of this.connected) this.#send(id, { type: "done", object });
    for (const id of this.#roster.wanting(object)) this.#send(id, { type: "gone", object });
  }

  #introduce(event: Extract<PeerEvent, { type: "introduced" }>, now: number): void {
    const { object, peers, swarm, holders } = event;
    this.#swarm = Math.max(2, swarm);
    const download = this.#downloads.get(object);
    if (download && !download.introduced) {
      download.introduced = true;
      if (peers.length > 0) download.setShare(swarm, holders);
    }
    for (const peer of this.#roster.dial(peers, now)) this.#out.push({ type: "dial", peer });
  }

  #open(id: PeerId, now: number): void {
    if (this.#roster.isShunned(id) || (!this.#roster.peers.has(id) && !this.#makeRoom(now))) {
      this.#out.push({ type: "close", peer: id });
      return;
    }
    this.#roster.open(id, now);
    this.#uploads.open(id);
    for (const object of this.#downloads.keys()) this.#send(id, { type: "want", object });
  }

  /** Makes sure that one more peer has a place; false where none can be spared. */
  #makeRoom(now: number): boolean {
    if (!this.#roster.isFull) return true;
    const isNeeded = (id: PeerId) => [...this.#downloads.values()].some((download) => download.lacksFrom(id));
    const gone = this.#roster.dispensable(isNeeded, now);
    if (gone !== undefined) this.#close(gone);
    return gone !== undefined;
  }

  #listen(id: PeerId, message: Exclude<Message, { type: "piece" }>, now: number): void {
    const peer = this.#roster.peers.get(id);
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
    if (source !== "server") this.#roster.peers.get(source)?.gaveChunk();
    if (download === undefined || download.mine.has(chunk)) return;
    download.mine.add(chunk);
    download.busyAt = now;
    for (const id of this.#roster.wanting(object)) this.#send(id, { type: "got", object, chunk });
    if (!download.mine.whole) return;
    this.#hold(download.shape);
    for (const id of this.connected) this.#send(id, { type: "done", object });
    this.#out.push({ type: "complete", object });
  }

  /** Gives up peers that did not open or answer in time. */
  #lose(now: number): void {
    for (const id of this.#roster.overdue(now)) {
      this.#roster.leave(id);
      this.#close(id);
    }
    for (const download of this.#downloads.values()) {
      for (const peer of download.stalled(now)) {
        download.bad++;
        this.#shun(peer);
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
    this.#roster.shun(id);
    if (this.#roster.peers.has(id)) this.#close(id);
  }

  #close(id: PeerId): void {
    this.#out.push({ type: "close", peer: id });
    this.#forget(id);
  }

  #forget(id: PeerId): void {
    this.#roster.remove(id);
    this.#uploads.close(id);
    for (const download of this.#downloads.values()) {
      download.forget(id);
      download.endAll(id);
    }
  }
}
