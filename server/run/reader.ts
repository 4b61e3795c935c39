import { CHUNK_BYTES, type ChunkList, signChunks } from "../../protocol/chunks.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { DeltaProof, VersionRecord } from "../../protocol/history.ts";
import type { Identity } from "../../protocol/identity.ts";
import { type Hash, isHash, type ObjectName, type TicketId } from "../../protocol/ids.ts";
import type { Manifest } from "../../protocol/manifest.ts";
import { ChunkLists } from "./chunk-lists.ts";
import { readProof, readRecord } from "./history.ts";
import { chunksInPieces } from "./large-hash.ts";
import type { LiveRun } from "./live-run.ts";
import type { RunOptions } from "./options.ts";
import { Records } from "./records.ts";
import type { FixedManifest } from "./view.ts";

/** The public part of a run: its manifest, the bytes of its objects, and the records of its versions. */
export class Reader {
  readonly #run: LiveRun;
  readonly #fixed: FixedManifest;
  readonly #options: Pick<RunOptions, "store" | "corpus">;
  readonly #chunkLists: ChunkLists;
  readonly #records: Records;
  readonly #identity: Identity;

  constructor(
    run: LiveRun,
    fixed: FixedManifest,
    identity: Identity,
    options: Pick<RunOptions, "store" | "corpus">,
  ) {
    this.#run = run;
    this.#fixed = fixed;
    this.#options = options;
    this.#identity = identity;
    this.#chunkLists = new ChunkLists(fixed.run, identity);
    this.#records = new Records((version) => readRecord(options.store, run.index, run.definition, version));
  }

  manifest(): Manifest {
    const { phase, version, hash } = this.#run.state;
    return { ...this.#fixed, state: phase, version, hash };
  }

  /** The current version as safetensors bytes, and their hash. */
  latestSnapshot(): { readonly hash: Hash; readonly bytes: Uint8Array<ArrayBuffer> } {
    return { hash: this.#run.state.hash, bytes: this.#run.versions.current.file };
  }

  /** Throws `not-found`. */
  async snapshot(hash: Hash): Promise<Uint8Array<ArrayBuffer>> {
    return (await this.#run.versions.snapshot(hash)) ?? notFound("snapshot");
  }

  /** The frame that leads from `version` to `version + 1`. Throws `not-found`, also where its hash is another. */
  async diff(version: number, hash?: Hash): Promise<Uint8Array<ArrayBuffer>> {
    const { state, versions } = this.#run;
    const known = Number.isSafeInteger(version) && version >= 0 && version < state.version;
    const asked = known && (hash === undefined || hash === (await versions.diffHash(version)));
    return (asked && (await versions.diff(version))) || notFound("diff");
  }

  /** The signed list of an object's chunks. Throws `not-found` where the object is not served. */
  chunks(object: ObjectName): Promise<ChunkList> {
    return this.#chunkLists.of(object, () => this.object(object));
  }

  /** The signed list of these bytes' chunks. `hash` is the bytes' own, where it is known. */
  async sign(object: ObjectName, bytes: Uint8Array<ArrayBuffer>, hash?: Hash): Promise<ChunkList> {
    const hashed = await chunksInPieces(bytes, hash);
    return signChunks(
      this.#identity.privateKey,
      { run: this.#fixed.run, object },
      bytes,
      CHUNK_BYTES,
      hashed,
    );
  }

  /** A version's signed record. Throws `not-found`. */
  versionRecord(version: number): Promise<VersionRecord> {
    return this.#records.of(version);
  }

  /** That a ticket's delta is in a version. Throws `not-found` while it is in none. */
  proof(ticket: TicketId): Promise<DeltaProof> {
    return readProof(this.#run.index, ticket, this.#records.of);
  }

  /** An object's bytes. Throws `not-found`. */
  async object(object: ObjectName): Promise<Uint8Array<ArrayBuffer>> {
    const [kind, name] = object.split("/");
    if (kind === "diffs") return this.diff(Number(name));
    if (!isHash(name)) return notFound("object");
    return kind === "snapshots" ? this.snapshot(name) : this.#options.corpus.shard(name);
  }
}

function notFound(what: string): never {
  throw new ProtocolError("not-found", `there is no such ${what} (any more)`);
}
