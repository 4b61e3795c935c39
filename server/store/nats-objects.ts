import { createHash } from "node:crypto";
import { type JetStreamClient, type JetStreamManager, jetstream } from "@nats-io/jetstream";
import { type ObjectInfo, type ObjectStore, Objm } from "@nats-io/obj";
import { headers, type NatsConnection, nuid } from "@nats-io/transport-node";
import { concat, type Pieces, partsOf } from "../../protocol/bytes.ts";
import { readChunks } from "./chunk-reads.ts";
import { DamagedReplica, decidedAs, isNoStream, isWrongLast } from "./nats-errors.ts";
import type { LogOptions } from "./nats-log.ts";
import { ASK_MS, BRING_MS, managerOf } from "./nats-manager.ts";

/** Bytes of a chunk, well below the smallest limit of a message (1 MB). */
const CHUNK_BYTES = 512 * 1024;

/** Milliseconds for which an object's description is tried to be stored: an election takes 5 to 9 s. */
const DESCRIBE_MS = 15_000;
const AGAIN_MS = 250;

/** Descriptions of objects that are asked for at a time. */
const AT_ONCE = 32;

interface ObjectsParts extends Pick<LogOptions, "mend" | "sleep"> {
  readonly manager: JetStreamManager;
}

/** Named objects in a bucket of JetStream's. Names are `SHELF/NAME`. */
export class NatsObjects {
  readonly #bucket: string;
  readonly #store: ObjectStore;
  readonly #client: JetStreamClient;
  readonly #sleep: LogOptions["sleep"];
  /** Writes under way, by name: one object is written by one at a time. */
  readonly #writing = new Map<string, Promise<void>>();
  readonly #manager: JetStreamManager;
  /** The same, for what takes longer to bring. */
  readonly #bringer: JetStreamManager;
  readonly #mend: LogOptions["mend"];
  /** The names that {@link list} found last, and the state of the bucket that it found them in. */
  #listed: { readonly state: string; readonly names: readonly string[] } | undefined;
  /** Names that were seen to be there: a list would ask for the description of each again, twice a second. */
  readonly #seen = new Set<string>();

  private constructor(
    bucket: string,
    store: ObjectStore,
    [client, bringer]: readonly [JetStreamClient, JetStreamManager],
    { manager, mend, sleep }: ObjectsParts,
  ) {
    this.#client = client;
    this.#sleep = sleep;
    this.#bringer = bringer;
    this.#mend = mend;
    this.#bucket = bucket;
    this.#store = store;
    this.#manager = manager;
  }

  static async open(
    connection: NatsConnection,
    parts: ObjectsParts,
    bucket: string,
    /** To make the bucket with where it is missing; "known" where it must be there. */
    replicas: number | "known",
    /** Names that another store of this process has {@link seen}. */
    seen: ReadonlySet<string> = new Set(),
  ): Promise<NatsObjects> {
    const isThere = await parts.manager.streams.info(streamOf(bucket)).then(
      () => true,
      (error: unknown) => {
        if (replicas === "known" || !isNoStream(error)) throw error;
        return false;
      },
    );
    const patient = { timeout: BRING_MS, checkAPI: false };
    if (!isThere && replicas !== "known")
      await new Objm(jetstream(connection, patient)).create(bucket, { replicas });
    const store = await new Objm(jetstream(connection, { timeout: ASK_MS, checkAPI: false })).open(
      bucket,
      false,
    );
    const client = jetstream(connection, { timeout: BRING_MS, checkAPI: false });
    const objects = new NatsObjects(bucket, store, [client, await managerOf(connection, BRING_MS)], parts);
    for (const name of seen) objects.#seen.add(name);
    return objects;
  }

  /**
   * Stores an object as the library does, except where an answer is lost. The library removes the chunks where nobody says
   * that the description is stored: it may be, and says from then on that they are there. Here it is sent until somebody says.
   * It replaces the one that this writer knows, and no other's: so of two writers neither removes the other's chunks.
   */
  put(name: string, bytes: Pieces): Promise<void> {
    return this.#alone(name, () => this.#put(name, bytes));
  }

  async #alone(name: string, write: () => Promise<void>): Promise<void> {
    const written = (this.#writing.get(name) ?? Promise.resolve()).then(write);
    const over = written
      .catch(() => {})
      .finally(() => {
        if (this.#writing.get(name) === over) this.#writing.delete(name);
      });
    this.#writing.set(name, over);
    await written;
  }

  async #put(name: string, bytes: Pieces): Promise<void> {
    const old = await this.#store.info(name);
    const id = nuid.next();
    const hash = createHash("sha256");
    let [size, chunks] = [0, 0];
    try {
      for (const chunk of chunksOf(partsOf(bytes))) {
        hash.update(chunk);
        await this.#client.publish(this.#chunks(id), chunk);
        [size, chunks] = [size + chunk.length, chunks + 1];
      }
    } catch (error) {
      await this.#letGo(id); // nothing says that they are there
      throw error;
    }
    const about = { bucket: this.#bucket, nuid: id, size, chunks, name, description: "", deleted: false };
    const digest = `SHA-256=${hash.digest("base64url")}=`;
    const mtime = new Date().toISOString();
    const options = { max_chunk_size: CHUNK_BYTES };
    await this.#describe(JSON.stringify({ ...about, digest, mtime, options }), { name, id, old });
    if (old !== null && !old.deleted) await this.#letGo(old.nuid);
  }

  async #describe(
    description: string,
    { name, id, old }: { readonly name: string; readonly id: string; readonly old: ObjectInfo | null },
  ): Promise<void> {
    const replacing = headers();
    replacing.set("Nats-Rollup", "sub");
    const sent = {
      ...{ headers: replacing, timeout: ASK_MS },
      expect: { lastSubjectSequence: old?.revision ?? 0 },
    };
    for (let until = performance.now() + DESCRIBE_MS, uncertain = false; ; uncertain = true) {
      try {
        await this.#client.publish(this.#meta(name), description, sent);
        return;
      } catch (error) {
        let isDecided = !uncertain && decidedAs(error) !== undefined;
        if (isWrongLast(error) && uncertain) {
          // The one that came before is readable a moment later.
          const stored = await this.#store.info(name).catch(() => null);
          if (stored?.nuid === id) return;
          isDecided = stored !== null;
        }
        if (isDecided) await this.#letGo(id);
        if (isDecided || performance.now() > until) throw error;
        await this.#sleep(AGAIN_MS);
      }
    }
  }

  /** Removes the chunks of an object that nothing describes any more. Where that fails they take room, and no harm is done. */
  async #letGo(id: string): Promise<void> {
    await this.#manager.streams.purge(this.stream, { filter: this.#chunks(id) }).catch(() => {});
  }

  /**
   * An object's bytes. Chunk by chunk, since the library's own reading makes a consumer for each object and leaves it to
   * expire, and a stream may have only so many. Rejects with a StoreError where bytes are missing or changed.
   */
  get(name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#mend(() => this.#get(name));
  }

  async #get(name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const info = await this.#store.info(name);
    if (info === null || info.deleted) return this.#gone(name);
    // Any node may answer, and in bytes; the one that leads answers in base64, which takes ten times as long to read.
    const { direct, streams } = this.#bringer;
    const near = await this.#whole(info, (query) => direct.getMessage(this.stream, query)).catch(() => 0);
    const found =
      typeof near === "object"
        ? near
        : await this.#whole(info, (query) => streams.getMessage(this.stream, query));
    if (typeof found === "object") return found;
    const now = await this.#store.info(name);
    if (now === null || now.deleted) return this.#gone(name); // removed meanwhile
    if (now.nuid !== info.nuid) return this.#get(name); // replaced
    const what = found === "changed" ? "is damaged" : `has lost its part ${found}`;
    throw new DamagedReplica(this.stream, `${name} ${what}`);
  }

  #gone(name: string): undefined {
    if (this.#seen.delete(name)) this.#listed = undefined;
  }

  /** An object's bytes, the number of a chunk that is not there, or "changed". */
  async #whole(
    { nuid, chunks, digest }: ObjectInfo,
    read: (query: { seq: number; next_by_subj: string }) => Promise<{ data: Uint8Array; seq: number } | null>,
  ): Promise<Uint8Array<ArrayBuffer> | number | "changed"> {
    const subject = this.#chunks(nuid);
    const found = await readChunks(chunks, (seq) => read({ seq, next_by_subj: subject }));
    if (typeof found === "number") return found;
    const whole = concat(...found.map(({ data }) => data));
    const hash = Buffer.from(await crypto.subtle.digest("SHA-256", whole)).toString("base64url");
    return digest.replace(/^SHA-256=|=+$/g, "") === hash ? whole : "changed";
  }

  /**
   * The names below a shelf, sorted. From the stream's leader: the library's own list reads a consumer, which a node that was
   * just started again feeds with what it has so far.
   */
  async list(shelf: string): Promise<string[]> {
    const { state } = await this.#manager.streams.info(this.stream, {
      subjects_filter: `${this.#meta("")}>`,
    });
    const now = `${state.last_seq} ${state.messages}`;
    if (this.#listed?.state !== now) {
      const names = Object.keys(state.subjects ?? {}).map((name) =>
        decode(name.slice(this.#meta("").length)),
      );
      this.#listed = { state: now, names: await this.#there(names) };
    }
    const names = this.#listed.names.filter((name) => name.startsWith(`${shelf}/`));
    return names.map((name) => name.slice(shelf.length + 1)).sort();
  }

  /**
   * Those of the names that were not removed. A mark of that is there for a moment, or for good where the one who removed it
   * was killed: it is found by whoever reads the object.
   */
  async #there(names: readonly string[]): Promise<string[]> {
    const asked = names.filter((name) => !this.#seen.has(name));
    for (let from = 0; from < asked.length; from += AT_ONCE) {
      const some = asked.slice(from, from + AT_ONCE);
      const infos = await Promise.all(some.map((name) => this.#store.info(name)));
      for (const [i, name] of some.entries()) if (infos[i] && !infos[i].deleted) this.#seen.add(name);
    }
    const kept = names.filter((name) => this.#seen.has(name));
    if (kept.length < this.#seen.size) {
      const now = new Set(kept);
      for (const name of this.#seen) if (!now.has(name)) this.#seen.delete(name);
    }
    return kept;
  }

  /** Absent is fine. Nothing is left of it: a mark for each object there ever was would make lists long. */
  remove(name: string): Promise<void> {
    return this.#alone(name, () => this.#remove(name));
  }

  async #remove(name: string): Promise<void> {
    const info = await this.#store.info(name);
    if (info === null) return;
    this.#gone(name);
    if (!info.deleted) await this.#store.delete(name);
    await this.#manager.streams.purge(this.stream, { filter: this.#meta(name) });
  }

  /** Names that were there when they were looked at. */
  get seen(): ReadonlySet<string> {
    return this.#seen;
  }

  get stream(): string {
    return streamOf(this.#bucket);
  }

  /** The subject of an object's chunks. */
  #chunks(id: string): string {
    return `$O.${this.#bucket}.C.${id}`;
  }

  /** The subject of an object's description; without a name, what all of them begin with. */
  #meta(name: string): string {
    return `$O.${this.#bucket}.M.${encode(name)}`;
  }
}

const streamOf = (bucket: string) => `OBJ_${bucket}`;

/** Where a run's objects are. */
export const bucketOf = (name: string) => `${name}_OBJ`;
/** The stream that holds them. */
export const objectStream = (name: string) => streamOf(bucketOf(name));

/** As the library writes names into subjects: base64 for URLs, padded. */
const encode = (name: string) =>
  Buffer.from(name).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
const decode = (token: string) => Buffer.from(token, "base64url").toString();

function* chunksOf(pieces: readonly Uint8Array[]): Generator<Uint8Array> {
  for (const piece of pieces)
    for (let at = 0; at < piece.length; at += CHUNK_BYTES) yield piece.slice(at, at + CHUNK_BYTES);
}
