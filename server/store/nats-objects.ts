import { type JetStreamManager, jetstream } from "@nats-io/jetstream";
import { type ObjectInfo, type ObjectStore, Objm, setSha256Backend } from "@nats-io/obj";
import type { NatsConnection } from "@nats-io/transport-node";
import { concat, type Pieces, partsOf } from "../../protocol/bytes.ts";
import { DamagedReplica, isNoStream } from "./nats-errors.ts";
import type { LogOptions } from "./nats-log.ts";
import { ASK_MS, BRING_MS, managerOf } from "./nats-manager.ts";

/** Bytes of a chunk, well below the smallest limit of a message (1 MB). */
const CHUNK_BYTES = 512 * 1024;

setSha256Backend("native"); // in JavaScript a snapshot of 120 MB takes half a second

/** Descriptions of objects that are asked for at a time. */
const AT_ONCE = 32;

/** Named objects in a bucket of JetStream's. Names are `SHELF/NAME`. */
export class NatsObjects {
  readonly #bucket: string;
  readonly #store: ObjectStore;
  readonly #manager: JetStreamManager;
  /** The same, for what takes longer to bring. */
  readonly #bringer: JetStreamManager;
  readonly #mend: LogOptions["mend"];
  /** The names that {@link list} found last, and the state of the bucket that it found them in. */
  #listed: { readonly state: string; readonly names: readonly string[] } | undefined;

  private constructor(
    bucket: string,
    store: ObjectStore,
    bringer: JetStreamManager,
    { manager, mend }: { readonly manager: JetStreamManager; readonly mend: LogOptions["mend"] },
  ) {
    this.#bringer = bringer;
    this.#mend = mend;
    this.#bucket = bucket;
    this.#store = store;
    this.#manager = manager;
  }

  static async open(
    connection: NatsConnection,
    parts: { readonly manager: JetStreamManager; readonly mend: LogOptions["mend"] },
    bucket: string,
    /** To make the bucket with where it is missing; "known" where it must be there. */
    replicas: number | "known",
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
    return new NatsObjects(bucket, store, await managerOf(connection, BRING_MS), parts);
  }

  async put(name: string, bytes: Pieces): Promise<void> {
    const whole = concat(...partsOf(bytes));
    const options = { max_chunk_size: CHUNK_BYTES };
    await this.#store.putBlob({ name, options }, whole, { timeout: BRING_MS });
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
    if (info === null || info.deleted) return undefined;
    // Any node may answer, and in bytes; the one that leads answers in base64, which takes ten times as long to read.
    const { direct, streams } = this.#bringer;
    const near = await this.#whole(info, (query) => direct.getMessage(this.stream, query)).catch(() => 0);
    const found =
      typeof near === "object"
        ? near
        : await this.#whole(info, (query) => streams.getMessage(this.stream, query));
    if (typeof found === "object") return found;
    const now = await this.#store.info(name);
    if (now === null || now.deleted) return undefined; // removed meanwhile
    if (now.nuid !== info.nuid) return this.#get(name); // replaced
    const what = found === "changed" ? "is damaged" : `has lost its part ${found}`;
    throw new DamagedReplica(this.stream, `${name} ${what}`);
  }

  /** An object's bytes, the number of a chunk that is not there, or "changed". */
  async #whole(
    { nuid, chunks, digest }: ObjectInfo,
    read: (query: { seq: number; next_by_subj: string }) => Promise<{ data: Uint8Array; seq: number } | null>,
  ): Promise<Uint8Array<ArrayBuffer> | number | "changed"> {
    const parts: Uint8Array[] = [];
    for (let chunk = 0, next = 1; chunk < chunks; chunk++) {
      const message = await read({ seq: next, next_by_subj: `$O.${this.#bucket}.C.${nuid}` });
      if (message === null) return chunk;
      parts.push(message.data);
      next = message.seq + 1;
    }
    const whole = concat(...parts);
    const found = Buffer.from(await crypto.subtle.digest("SHA-256", whole)).toString("base64url");
    return digest.replace(/^SHA-256=|=+$/g, "") === found ? whole : "changed";
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
      const names = Object.keys(state.subjects ?? {});
      this.#listed = {
        state: now,
        names: await this.#there(names.map((name) => decode(name.slice(this.#meta("").length)))),
      };
    }
    const names = this.#listed.names.filter((name) => name.startsWith(`${shelf}/`));
    return names.map((name) => name.slice(shelf.length + 1)).sort();
  }

  /** Those of the names that were not removed. */
  async #there(names: readonly string[]): Promise<string[]> {
    const there: string[] = [];
    for (let from = 0; from < names.length; from += AT_ONCE) {
      const some = names.slice(from, from + AT_ONCE);
      const infos = await Promise.all(some.map((name) => this.#store.info(name)));
      there.push(...some.filter((_, i) => infos[i] && !infos[i].deleted));
    }
    return there;
  }

  /** Absent is fine. Nothing is left of it: a mark for each object there ever was would make lists long. */
  async remove(name: string): Promise<void> {
    const info = await this.#store.info(name);
    if (info === null) return;
    if (!info.deleted) await this.#store.delete(name);
    await this.#manager.streams.purge(this.stream, { filter: this.#meta(name) });
  }

  get stream(): string {
    return streamOf(this.#bucket);
  }

  /** The subject of an object's description; without a name, what all of them begin with. */
  #meta(name: string): string {
    return `$O.${this.#bucket}.M.${encode(name)}`;
  }
}

const streamOf = (bucket: string) => `OBJ_${bucket}`;

/** As the library writes names into subjects: base64 for URLs, padded. */
const encode = (name: string) =>
  Buffer.from(name).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
const decode = (token: string) => Buffer.from(token, "base64url").toString();
