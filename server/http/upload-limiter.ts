import { IncomingMessage } from "node:http";
import { ProtocolError } from "../../protocol/errors.ts";
import { BODY_IDLE_MS, BUSY_RETRY_MS, NETWORK_SHARE } from "../net/limits.ts";
import { PerNetworkQuota } from "../net/per-network-quota.ts";
import { BufferPool } from "./buffer-pool.ts";

const FIRST_BUFFER_BYTES = 1_024;

/** Bodies at once, and their bytes together. */
interface Capacity {
  readonly bodies: number;
  readonly bytes: number;
}

/** Room for the bodies of several limiters together: of the runs of one server. */
export class UploadRoom {
  readonly #most: number;
  #bytes = 0;

  constructor(bytes: number) {
    this.#most = bytes;
  }

  /** Whether this many more bytes fit; if so they are reserved until they are given back. */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.#most) return false;
    this.#bytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/** Limits the bodies that are being read, over all requests of one kind. One network may take a part of it only. */
export class UploadLimiter {
  readonly #most: Capacity;
  readonly #quotas: { readonly bodies: PerNetworkQuota; readonly bytes: PerNetworkQuota };
  readonly #pool: BufferPool;
  readonly #room: UploadRoom | undefined;
  #bodies = 0;
  #bytes = 0;

  /**
   * With `pooledBytes`, up to this many bytes of buffers are kept and used again. With a `room`, its bytes are shared with
   * other limiters.
   */
  constructor(most: Capacity, perNetwork: Capacity = most, pooledBytes = 0, room?: UploadRoom) {
    this.#room = room;
    this.#pool = new BufferPool(pooledBytes);
    this.#most = most;
    this.#quotas = {
      bodies: new PerNetworkQuota(perNetwork.bodies),
      bytes: new PerNetworkQuota(perNetwork.bytes),
    };
  }

  /** Bytes held now. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Reads a body of at most `limit` bytes and hands it to `use`. Its place is free again when `use` is done, and its
   * buffer is then overwritten: copy what you keep.
   * Checks the declared length before reading, and the real one while reading. Throws `too-large`,
   * `too-many-requests`, and `bad-request` for a sender that stalls. `network` is the sender's, where it has one.
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
    if (this.#bodies >= this.#most.bodies || !this.#quotas.bodies.take(network)) throw busy();
    this.#bodies++;
    let held = 0;
    const hold = (bytes: number) => {
      if (this.#bytes + bytes > this.#most.bytes || this.#room?.take(bytes) === false) throw busy();
      if (!this.#quotas.bytes.take(network, bytes)) {
        this.#room?.give(bytes);
        throw busy();
      }
      held += bytes;
      this.#bytes += bytes;
    };
    const body = new GrowingBuffer(limit, Number(declared ?? 0), hold, this.#pool);
    try {
      return await use(await (socket ? receive(request, body) : collect(request, body)));
    } finally {
      this.#pool.give(body.end());
      this.#bodies--;
      this.#bytes -= held;
      this.#room?.give(held);
      this.#quotas.bodies.give(network);
      this.#quotas.bytes.give(network, held);
    }
  }
}

/** Limits bodies, of which each network may have its share and no more. */
export function limitUploads(
  bodies: number,
  bytes: number,
  pooledBytes = 0,
  room?: UploadRoom,
): UploadLimiter {
  const share = { bodies: NETWORK_SHARE * bodies, bytes: NETWORK_SHARE * bytes };
  return new UploadLimiter({ bodies, bytes }, share, pooledBytes, room);
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
 * hundred times what it sent. Once a quarter of a declared length is there, all of it is allocated.
 */
class GrowingBuffer {
  readonly #limit: number;
  readonly #declared: number;
  readonly #hold: (bytes: number) => void;
  readonly #pool: BufferPool;
  #buffer = new Uint8Array();
  #total = 0;

  constructor(limit: number, declared: number, hold: (bytes: number) => void, pool: BufferPool) {
    this.#pool = pool;
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
      const grown = this.#pool.take(capacity);
      if (grown.length > capacity) this.#hold(grown.length - capacity);
      grown.set(this.bytes);
      this.#pool.give(this.#buffer);
      this.#buffer = grown;
    }
    this.#buffer.set(chunk, this.#total);
    this.#total = end;
  }
}

/** Reads a web request's body: of tests, and wherever there is no socket. */
async function collect(request: Request, body: GrowingBuffer): Promise<Uint8Array<ArrayBuffer>> {
  const reader = request.body?.getReader();
  if (reader === undefined) return new Uint8Array();
  try {
    for (;;) {
      const chunk = await withinIdle(reader.read());
      if (chunk.done) return body.bytes;
      body.add(chunk.value);
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
function receive(incoming: IncomingMessage, body: GrowingBuffer): Promise<Uint8Array<ArrayBuffer>> {
  return new Promise((resolve, reject) => {
    const idle = setTimeout(() => end(stalled()), BODY_IDLE_MS);
    const onData = (chunk: Buffer) => {
      idle.refresh();
      try {
        body.add(chunk);
      } catch (error) {
        end(asRefusal(error));
      }
    };
    const onEnd = () => end();
    const onGone = () => end(brokeOff());
    const end = (refusal?: ProtocolError) => {
      clearTimeout(idle);
      incoming.off("data", onData).off("end", onEnd).off("close", onGone);
      if (refusal === undefined) return resolve(body.bytes);
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
