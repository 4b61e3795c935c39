import type { Channel } from "../../client/p2p/channel.ts";
import { Hub } from "../../client/p2p/hub.ts";
import { type ChunkList, signChunks } from "../../protocol/chunks.ts";
import { createIdentity } from "../../protocol/identity.ts";
import type { Hash, ObjectName, PeerId, RunId, VolunteerKey } from "../../protocol/ids.ts";
import { Introductions } from "../../server/peers/introductions.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Something at the end of a channel: a hub, or a stranger that a test scripts. */
interface Party {
  readonly id: PeerId;
  opened(other: PeerId, channel: Channel): void;
  heard(other: PeerId, frame: Bytes): void;
  closed(other: PeerId): void;
}

/** How a scripted peer answers a frame. */
export type Script = (frame: Bytes, reply: (frame: Bytes) => void, other: PeerId) => void;

const RUN = "c".repeat(64) as RunId;

/** What WebCrypto's threads are at work on: time must not pass here while they are. */
const computing = new Set<Promise<unknown>>();
for (const name of ["digest", "verify"] as const) {
  const { subtle } = crypto;
  const real: (...given: never[]) => Promise<unknown> = subtle[name].bind(subtle);
  const counted = (...given: never[]) => {
    const result = real(...given);
    computing.add(result);
    const done = () => computing.delete(result);
    result.then(done, done);
    return result;
  };
  Object.defineProperty(subtle, name, { value: counted, configurable: true });
}

/** A server, hubs and strangers in one process: frames wait until {@link deliver}, and time stands until {@link pass}. */
export class PeerWorld {
  now = 0;
  /** Bytes that the server has sent, by chunk. */
  egress = 0;
  /** Turns the server's ranges into something else. */
  serverLies: ((bytes: Bytes) => Bytes) | undefined;
  readonly introductions = new Introductions(
    () => this.now,
    () => this.random(),
  );
  readonly #objects = new Map<ObjectName, { readonly list: ChunkList; readonly bytes: Bytes }>();
  readonly #parties = new Map<PeerId, Party>();
  readonly #frames: (() => void)[] = [];
  readonly #timers = new Set<{ readonly at: number; readonly callback: () => void }>();
  #seed = 11;

  readonly random = (): number => {
    this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#seed / 2 ** 32;
  };

  /** Puts an object on the server. */
  async publish(object: ObjectName, bytes: Bytes): Promise<ChunkList> {
    const { privateKey } = await createIdentity();
    const list = await signChunks(privateKey, { run: RUN, object }, bytes, 64 * 1024);
    this.#objects.set(object, { list, bytes });
    return list;
  }

  /** An honest browser. */
  async hub(
    name: string,
    more: { uploadRate?: number; make?: (hash: Hash) => Promise<Bytes | undefined> } = {},
  ): Promise<Hub> {
    const id = idOf(name);
    const hub = new Hub({
      server: {
        chunks: async (object) => this.#object(object).list,
        range: async (object, from, to) => {
          const bytes = this.#object(object).bytes.slice(from, to);
          this.egress += bytes.length;
          return this.serverLies?.(bytes) ?? bytes;
        },
        announce: async (said) => this.#announce(id, said),
      },
      network: { dial: (peer) => this.connect(id, peer), hangUp: () => {} },
      clock: () => this.now,
      after: (ms, callback) => {
        const timer = { at: this.now + ms, callback };
        this.#timers.add(timer);
        return () => this.#timers.delete(timer);
      },
      random: this.random,
      ...more,
    });
    this.#parties.set(id, {
      id,
      opened: (other, channel) => hub.opened(other, channel),
      heard: (other, frame) => hub.heard(other, frame),
      closed: (other) => hub.closed(other),
    });
    await hub.join();
    return hub;
  }

  /** A peer that says it has these objects and then does what the script says. Returns how often it was opened to. */
  stranger(name: string, holds: readonly Hash[], script: Script): { opened: number; closed: number } {
    const id = idOf(name);
    const channels = new Map<PeerId, Channel>();
    const seen = { opened: 0, closed: 0 };
    this.#parties.set(id, {
      id,
      opened: (other, channel) => {
        seen.opened++;
        channels.set(other, channel);
      },
      heard: (other, frame) => script(frame, (reply) => channels.get(other)?.send(reply), other),
      closed: () => {
        seen.closed++;
      },
    });
    this.#announce(id, { holds, latest: false, wrong: [] });
    return seen;
  }

  /** Opens a channel between two, without an introduction. */
  connect(from: PeerId, to: PeerId): void {
    const [a, b] = [this.#parties.get(from), this.#parties.get(to)];
    if (a === undefined || b === undefined) return;
    let open = true;
    const end = (mine: Party, other: Party): Channel => ({
      send: (frame) => {
        const copy = frame.slice();
        this.#frames.push(() => open && other.heard(mine.id, copy));
      },
      buffered: 0,
      whenLow: (callback) => this.#frames.push(callback),
      close: () => {
        if (!open) return;
        open = false;
        this.#frames.push(() => other.closed(mine.id));
        this.#frames.push(() => mine.closed(other.id));
      },
    });
    this.#frames.push(() => {
      a.opened(b.id, end(a, b));
      b.opened(a.id, end(b, a));
    });
  }

  /** Delivers frames, and lets hashes be computed, until `done`. Fails after ten seconds. */
  async until(done: () => boolean): Promise<void> {
    const start = performance.now();
    while (!done()) {
      if (performance.now() - start > 10_000) throw new Error("it never happened");
      await this.#turn();
    }
  }

  /** Lets time pass, a tenth of a second at a time, until `done`; returns how much passed. */
  async pass(most: number, done: () => boolean = () => false): Promise<number> {
    const start = this.now;
    while (this.now - start < most && !done()) {
      for (let turn = 0; turn < 20 && !done(); turn++) await this.#turn();
      if (done()) break;
      this.now += 100;
      for (const timer of [...this.#timers].sort((a, b) => a.at - b.at)) {
        if (timer.at <= this.now && this.#timers.delete(timer)) timer.callback();
      }
    }
    return this.now - start;
  }

  async #turn(): Promise<void> {
    for (const frame of this.#frames.splice(0)) frame();
    do {
      await Promise.allSettled(computing);
      await new Promise((resolve) => setImmediate(resolve));
    } while (computing.size > 0);
  }

  #object(object: ObjectName) {
    const found = this.#objects.get(object);
    if (found === undefined) throw new Error(`no ${object}`);
    return found;
  }

  #announce(id: PeerId, said: Parameters<ConstructorParameters<typeof Hub>[0]["server"]["announce"]>[0]) {
    const [newest] = [...this.#objects.values()].slice(-1);
    const key = id.padEnd(43, "_") as string as VolunteerKey;
    return this.introductions.announce(
      key,
      { id, token: id, ...said },
      newest?.list.hash ?? ("0".repeat(64) as Hash),
    );
  }
}

export const idOf = (name: string): PeerId => name.padEnd(22, "_") as PeerId;
