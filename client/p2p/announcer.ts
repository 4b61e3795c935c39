import type { ChunkList } from "../../protocol/chunks.ts";
import type { Hash, ObjectName, PeerId } from "../../protocol/ids.ts";
import { type Announcement, type Introduction, MAX_HELD } from "../../protocol/introduction.ts";

type Bytes = Uint8Array<ArrayBuffer>;
/** An announcement without the names of this visit, which the transport adds. */
type Nameless = Omit<Announcement, "id" | "token">;

/** The server, as sharing needs it. */
export interface SeedServer {
  /** An object's chunk list, its signature checked, for an object of at most `most` bytes. */
  chunks(object: ObjectName, most: number): Promise<ChunkList>;
  range(object: ObjectName, from: number, to: number): Promise<Bytes>;
  announce(announcement: Nameless): Promise<Introduction>;
}

export interface AnnouncerOptions {
  readonly server: Pick<SeedServer, "announce">;
  readonly after: (ms: number, callback: () => void) => () => void;
  readonly random: () => number;
}

/** Milliseconds between two announcements while nothing happens. The server forgets a browser that is silent for a minute. */
const ANNOUNCE_MS = 20_000;
/** Peers blamed in one announcement. */
const MAX_BLAMED = 32;
/** The answer where the server introduces nobody: the server itself is still there. */
const NOBODY: Introduction = { peers: [], swarm: 2, holders: 0 };

/** Tells the server what is here, again and again, so that it introduces others to us and us to them (rule K5). */
export class Announcer {
  readonly #options: AnnouncerOptions;
  readonly #here: () => Pick<Nameless, "holds" | "latest">;
  readonly #due: () => void;
  readonly #wrong: PeerId[] = [];
  #closed = false;
  #cancel: () => void = () => {};

  /** `here` says what is held now; `due` is called when it is time to announce again. */
  constructor(options: AnnouncerOptions, here: () => Pick<Nameless, "holds" | "latest">, due: () => void) {
    this.#options = options;
    this.#here = here;
    this.#due = due;
  }

  /** The first announcement. Rejects where the server will not have us. */
  async join(): Promise<void> {
    await this.#options.server.announce(this.#announcement());
    this.#later();
  }

  /** Tells of a peer, with the next announcement, that it sent something wrong. */
  blame(peer: PeerId): void {
    this.#wrong.push(peer);
  }

  /** The peers that the server introduces; none where it does not answer, and undefined once this is closed. */
  async announce(wants: Hash | undefined): Promise<Introduction | undefined> {
    if (this.#closed) return undefined;
    const made = await this.#options.server.announce(this.#announcement(wants)).catch(() => NOBODY);
    this.#later();
    return made;
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  #announcement(wants?: Hash): Nameless {
    const { holds, latest } = this.#here();
    const wrong = this.#wrong.splice(0, MAX_BLAMED);
    return { holds: holds.slice(-MAX_HELD), latest, wrong, ...(wants !== undefined && { wants }) };
  }

  #later(): void {
    if (this.#closed) return;
    this.#cancel();
    const jitter = 1 - 0.2 * this.#options.random();
    this.#cancel = this.#options.after(ANNOUNCE_MS * jitter, this.#due);
  }
}
