import { WrongBytes } from "./away.ts";

/** Aborts a request when its caller does, or when nothing has come for a while. */
export class Watchdog {
  readonly #controller = new AbortController();
  readonly #stall: number;
  readonly #outer: AbortSignal | undefined;
  readonly #follow = () => this.#controller.abort(this.#outer?.reason);
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `stall` is the longest silence in milliseconds. */
  constructor(outer: AbortSignal | undefined, stall: number) {
    this.#stall = stall;
    this.#outer = outer;
    if (outer?.aborted) this.#follow();
    outer?.addEventListener("abort", this.#follow);
    this.touch();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Bytes came: restarts the limit on silence. */
  touch(): void {
    clearTimeout(this.#timer);
    const silence = () => this.#controller.abort(new Error(`nothing came for ${this.#stall} ms`));
    this.#timer = setTimeout(silence, this.#stall);
  }

  done(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener("abort", this.#follow);
  }
}

/**
 * Reads a response of at most `limit` bytes, however long the server says or lets it be; `progress` hears the
 * bytes so far after each chunk. Throws {@link WrongBytes} as soon as one byte too many is announced or comes.
 */
export async function readBody(
  response: Response,
  limit: number,
  progress: (bytes: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const announced = Number(response.headers.get("content-length") ?? 0);
  const tooMany = new WrongBytes(`${response.url}: more than ${limit} bytes`);
  if (announced > limit) {
    await response.body?.cancel();
    throw tooMany;
  }
  if (response.body === null) return new Uint8Array();
  const reader = response.body.getReader();
  let whole = new Uint8Array(Math.max(0, announced)); // as long as nothing is written there it takes no memory
  let bytes = 0;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return bytes === whole.length ? whole : whole.slice(0, bytes);
    const end = bytes + value.length;
    if (end > limit) {
      await reader.cancel();
      throw tooMany;
    }
    if (end > whole.length) {
      const longer = new Uint8Array(Math.min(limit, 2 * end));
      longer.set(whole);
      whole = longer;
    }
    whole.set(value, bytes);
    bytes = end;
    progress(bytes);
  }
}
