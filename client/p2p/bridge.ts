import { type ChunkList, verifyChunks } from "../../protocol/chunks.ts";
import { sha256 } from "../../protocol/identity.ts";
import type { Hash, ObjectName } from "../../protocol/ids.ts";
import type { Manifest } from "../../protocol/manifest.ts";
import { WrongBytes } from "../transport/away.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * WebRTC lives on a page's main thread, the trainer in a Worker: this is what they say to each other over a
 * MessagePort. The page is no more trusted than a peer: the Worker checks signature and hash again.
 */
export type ToPage =
  | { readonly type: "bring"; readonly id: number; readonly object: ObjectName; readonly most: number }
  /** The newest snapshot that the Worker can make; undefined when it has none. */
  | { readonly type: "latest"; readonly hash: Hash | undefined }
  | { readonly type: "made"; readonly hash: Hash; readonly bytes: Bytes | undefined };

export type ToWorker =
  | { readonly type: "progress"; readonly id: number; readonly bytes: number; readonly total: number }
  | { readonly type: "brought"; readonly id: number; readonly list: ChunkList; readonly bytes: Bytes }
  | { readonly type: "failed"; readonly id: number }
  | { readonly type: "make"; readonly hash: Hash };

/** Milliseconds that a page may say nothing of a download before the Worker stops waiting for it. */
const SILENCE_MS = 20_000;

interface Asked {
  readonly resolve: (brought: { list: ChunkList; bytes: Bytes } | undefined) => void;
  readonly progress: (bytes: number, total: number) => void;
  silence: ReturnType<typeof setTimeout> | undefined;
}

/** The Worker's end. */
export class PeerBridge {
  readonly #port: MessagePort;
  readonly #asked = new Map<number, Asked>();
  readonly #make: (hash: Hash) => Bytes | undefined;
  #next = 0;

  /** `make` gives a copy of the newest snapshot's file, if that is its hash. */
  constructor(port: MessagePort, make: (hash: Hash) => Bytes | undefined) {
    this.#port = port;
    this.#make = make;
    port.onmessage = ({ data }: MessageEvent<ToWorker>) => this.#hear(data);
  }

  /**
   * An object's bytes by way of the page, checked against the list that this run's server signed; undefined where the
   * page has no way to them. Throws {@link WrongBytes}.
   */
  async bring(
    object: ObjectName,
    most: number,
    { run, server }: Pick<Manifest, "run" | "server">,
    call: { readonly signal?: AbortSignal; readonly progress?: (bytes: number, total: number) => void },
  ): Promise<Bytes | undefined> {
    const id = this.#next++;
    const brought = await new Promise<Parameters<Asked["resolve"]>[0]>((resolve) => {
      this.#asked.set(id, { resolve, progress: call.progress ?? (() => {}), silence: undefined });
      this.#touch(id);
      call.signal?.addEventListener("abort", () => this.#end(id, undefined), { once: true });
      this.#say({ type: "bring", id, object, most });
    });
    call.signal?.throwIfAborted();
    if (brought === undefined) return undefined;
    const { list, bytes } = brought;
    const right = list.object === object && list.run === run && bytes.length <= most;
    if (!right || !(await verifyChunks(server, list)) || (await sha256(bytes)) !== list.hash) {
      throw new WrongBytes(`${object} is not what this run's server signed`);
    }
    return bytes;
  }

  /** Tells which snapshot can be made here. */
  setLatest(hash: Hash | undefined): void {
    this.#say({ type: "latest", hash });
  }

  close(): void {
    for (const id of [...this.#asked.keys()]) this.#end(id, undefined);
    this.#port.close();
  }

  #say(message: ToPage, transfer: Transferable[] = []): void {
    this.#port.postMessage(message, transfer);
  }

  #hear(message: ToWorker): void {
    switch (message.type) {
      case "progress":
        this.#touch(message.id);
        this.#asked.get(message.id)?.progress(message.bytes, message.total);
        return;
      case "brought":
        this.#end(message.id, message);
        return;
      case "failed":
        this.#end(message.id, undefined);
        return;
      case "make": {
        const bytes = this.#make(message.hash);
        this.#say({ type: "made", hash: message.hash, bytes }, bytes ? [bytes.buffer] : []);
        return;
      }
    }
  }

  #touch(id: number): void {
    const asked = this.#asked.get(id);
    if (asked === undefined) return;
    clearTimeout(asked.silence);
    asked.silence = setTimeout(() => this.#end(id, undefined), SILENCE_MS);
  }

  #end(id: number, brought: Parameters<Asked["resolve"]>[0]): void {
    const asked = this.#asked.get(id);
    if (asked === undefined) return;
    clearTimeout(asked.silence);
    this.#asked.delete(id);
    asked.resolve(brought);
  }
}
