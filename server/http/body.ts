import { ProtocolError } from "../../protocol/errors.ts";
import { BODY_IDLE_MS, BUSY_RETRY_MS } from "./limits.ts";

const FIRST_BUFFER_BYTES = 1_024;

/** Room for bodies in flight, shared by all requests of one kind: how many, and how many bytes together. */
export class BodyRoom {
  readonly #most: { readonly bodies: number; readonly bytes: number };
  #bodies = 0;
  #bytes = 0;

  constructor(most: { readonly bodies: number; readonly bytes: number }) {
    this.#most = most;
  }

  /** Bytes held now. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Reads a body of at most `limit` bytes and hands it to `use`; its room is free again when `use` is done.
   * Refuses what the header declares before reading, and what really comes while reading, whatever the
   * header said: `too-large`, `too-many-requests`, and `bad-request` for a sender that stalls.
   */
  async read<T>(
    request: Request,
    limit: number,
    use: (body: Uint8Array<ArrayBuffer>) => Promise<T>,
  ): Promise<T> {
    refuseDeclared(request.headers.get("content-length"), limit);
    if (this.#bodies >= this.#most.bodies) throw busy();
    this.#bodies++;
    let held = 0;
    const hold = (bytes: number) => {
      if (this.#bytes + bytes > this.#most.bytes) throw busy();
      held += bytes;
      this.#bytes += bytes;
    };
    try {
      return await use(await collect(request, limit, hold));
    } finally {
      this.#bodies--;
      this.#bytes -= held;
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
 * Collects a body in one buffer that doubles, never as a list of chunks: a sender of one-byte chunks would
 * make a list cost a hundred times what it sent.
 */
async function collect(
  request: Request,
  limit: number,
  hold: (bytes: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = request.body?.getReader();
  if (reader === undefined) return new Uint8Array();
  let buffer = new Uint8Array();
  let total = 0;
  try {
    for (;;) {
      const chunk = await withinIdle(reader.read());
      if (chunk.done) return buffer.subarray(0, total);
      const end = total + chunk.value.length;
      if (end > limit) throw tooLarge(limit);
      if (end > buffer.length) {
        const capacity = Math.min(limit, Math.max(end, 2 * buffer.length, FIRST_BUFFER_BYTES));
        hold(capacity - buffer.length);
        const grown = new Uint8Array(capacity);
        grown.set(buffer.subarray(0, total));
        buffer = grown;
      }
      buffer.set(chunk.value, total);
      total = end;
    }
  } catch (error) {
    reader.cancel(error).catch(() => {}); // the sender may be gone already
    throw error instanceof ProtocolError ? error : new ProtocolError("bad-request", "the body broke off");
  }
}

async function withinIdle<T>(reading: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const stalled = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new ProtocolError("bad-request", "the body stopped arriving")),
      BODY_IDLE_MS,
    );
  });
  try {
    return await Promise.race([reading, stalled]);
  } finally {
    clearTimeout(timer);
  }
}
