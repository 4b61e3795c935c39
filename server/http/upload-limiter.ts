import { IncomingMessage } from "node:http";
import { ProtocolError } from "../../protocol/errors.ts";
import { BODY_IDLE_MS, BUSY_RETRY_MS } from "../net/limits.ts";
import { PerNetworkQuota } from "../net/per-network-quota.ts";
import { BufferPool } from "./buffer-pool.ts";

const FIRST_BUFFER_BYTES = 1_024;

/** How many bodies, and how many bytes together. */
interface Room {
  readonly bodies: number;
  readonly bytes: number;
}

/** Room for bodies in flight, shared by all requests of one kind. One network may have a part of it. */
export class UploadLimiter {
  readonly #most: Room;
  readonly #shares: { readonly bodies: PerNetworkQuota; readonly bytes: PerNetworkQuota };
  readonly #spare: BufferPool;
  #bodies = 0;
  #bytes = 0;

  /** Where `spareBytes` are kept, bodies lie in buffers that are used again. */
  constructor(most: Room, perNetwork: Room = most, spareBytes = 0) {
    this.#spare = new BufferPool(spareBytes);
    this.#most = most;
    this.#shares = {
      bodies: new PerNetworkQuota(perNetwork.bodies),
      bytes: new PerNetworkQuota(perNetwork.bytes),
    };
  }

  /** Bytes held now. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Reads a body of at most `limit` bytes and hands it to `use`; its room is free again when `use` is done, and the
   * bytes are then no longer what they were: who wants to keep them makes a copy.
   * Refuses what the header declares before reading, and what really comes while reading, whatever the
   * header said: `too-large`, `too-many-requests`, and `bad-request` for a sender that stalls. `network` is the
   * sender's, where it has one.
   */
  async read<T>(
    request: Request | IncomingMessage,
    limit: number,
    use: (body: Uint8Array<ArrayBuffer>) => Promise<T>,
    network?: string,
  ): Promise<T> {
    const socket = request instanceof IncomingMessage;
    const declared = socket ? request.headers["content-length"] : request.headers.get("content-length");
    refuseDeclared(declared ?? null, limit);
    if (this.#bodies >= this.#most.bodies || !this.#shares.bodies.take(network)) throw busy();
    this.#bodies++;
    let held = 0;
    const hold = (bytes: number) => {
      if (this.#bytes + bytes > this.#most.bytes || !this.#shares.bytes.take(network, bytes)) throw busy();
      held += bytes;
      this.#bytes += bytes;
    };
    const gathering = new GrowingBuffer(limit, Number(declared ?? 0), hold, this.#spare);
    try {
      return await use(await (socket ? receive(request, gathering) : collect(request, gathering)));
    } finally {
      this.#spare.give(gathering.end());
      this.#bodies--;
      this.#bytes -= held;
      this.#shares.bodies.give(network);
      this.#shares.bytes.give(network, held);
    }
  }
}

const busy = () => new ProtocolError("too-many-requests", "too many uploads at once", BUSY_RETRY_MS);
const tooLarge = (limit: number) => new ProtocolError("too-large", `the body may have ${limit} bytes`);

function refuseDeclared(length: string | null, limit: number): void {
  if (length === null) return;
  if (!/^\d{1,15}$/.test(length)) throw new ProtocolError("bad-request", "content-length is not a number");
  if (Number(length) > limit) throw tooLarge(limit);
}

/**
 * A body in one buffer that doubles, never as a list of chunks: a sender of one-byte chunks would make a list cost a
 * hundred times what it sent. Once a quarter of a declared length is there, all of it is made room for.
 */
class GrowingBuffer {
  readonly #limit: number;
  readonly #declared: number;
  readonly #hold: (bytes: number) => void;
  readonly #spare: BufferPool;
  #buffer = new Uint8Array();
  #total = 0;

  constructor(limit: number, declared: number, hold: (bytes: number) => void, spare: BufferPool) {
    this.#spare = spare;
    this.#limit = limit;
    this.#declared = declared;
    this.#hold = hold;
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(0, this.#total);
  }

  /** Lets go of the buffer: what still arrives of a refused body finds none. */
  end(): Uint8Array<ArrayBuffer> {
    const buffer = this.#buffer;
    this.#buffer = new Uint8Array();
    this.#total = 0;
    return buffer;
  }

  add(chunk: Uint8Array): void {
    const end = this.#total + chunk.length;
    if (end > this.#limit) throw tooLarge(this.#limit);
    const { length } = this.#buffer;
    if (end > length) {
      const near = end <= this.#declared && 4 * end >= this.#declared;
      const wanted = near ? this.#declared : Math.max(end, 2 * length, FIRST_BUFFER_BYTES);
      const capacity = Math.min(this.#limit, wanted);
      this.#hold(capacity - length);
      const grown = this.#spare.take(capacity);
      if (grown.length > capacity) this.#hold(grown.length - capacity);
      grown.set(this.bytes);
      this.#spare.give(this.#buffer);
      this.#buffer = grown;
    }
    this.#buffer.set(chunk, this.#total);
    this.#total = end;
  }
}

/** Reads a web request's body: of tests, and wherever there is no socket. */
async function collect(request: Request, gathering: GrowingBuffer): Promise<Uint8Array<ArrayBuffer>> {
  const reader = request.body?.getReader();
  if (reader === undefined) return new Uint8Array();
  try {
    for (;;) {
      const chunk = await withinIdle(reader.read());
      if (chunk.done) return gathering.bytes;
      gathering.add(chunk.value);
    }
  } catch (error) {
    reader.cancel(error).catch(() => {}); // the sender may be gone already
    throw asRefusal(error);
  }
}

/**
 * Reads a socket's request as it comes, which is several times as fast as through a web stream. What is left of a body
 * that was refused is the listener's to discard.
 */
function receive(incoming: IncomingMessage, gathering: GrowingBuffer): Promise<Uint8Array<ArrayBuffer>> {
  return new Promise((resolve, reject) => {
    const idle = setTimeout(() => end(stalled()), BODY_IDLE_MS);
    const onData = (chunk: Buffer) => {
      idle.refresh();
      try {
        gathering.add(chunk);
      } catch (error) {
        end(asRefusal(error));
      }
    };
    const onEnd = () => end();
    const onGone = () => end(brokeOff());
    const end = (refusal?: ProtocolError) => {
      clearTimeout(idle);
      incoming.off("data", onData).off("end", onEnd).off("close", onGone);
      if (refusal === undefined) return resolve(gathering.bytes);
      incoming.pause();
      reject(refusal);
    };
    incoming.on("data", onData).on("end", onEnd).on("close", onGone);
    incoming.once("error", onGone); // stays, so that a later one has a listener
    if (incoming.destroyed) onGone();
  });
}

const brokeOff = () => new ProtocolError("bad-request", "the body broke off");
const stalled = () => new ProtocolError("bad-request", "the body stopped arriving");
const asRefusal = (error: unknown) => (error instanceof ProtocolError ? error : brokeOff());

async function withinIdle<T>(reading: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(stalled()), BODY_IDLE_MS);
  });
  try {
    return await Promise.race([reading, late]);
  } finally {
    clearTimeout(timer);
  }
}
