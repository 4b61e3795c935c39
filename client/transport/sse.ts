/** One message of an event stream. */
export interface StreamEvent {
  /** The `event:` field, `message` where there was none. */
  readonly type: string;
  readonly data: string;
}

/** Characters of one event: ours are under 3 KiB, and a stream without line ends must not fill the memory. */
const MAX_EVENT = 64 * 1024;

/**
 * The parser of server-sent events (WHATWG HTML §9.2.6), for bytes that come in any pieces: a chunk may end
 * inside a character, between CR and LF, or hold many events. Ids and retry times are not ours and are
 * dropped. Throws a RangeError when one event grows beyond {@link MAX_EVENT}.
 */
export class StreamParser {
  readonly #decoder = new TextDecoder();
  #line = "";
  #data: string[] = [];
  #type = "";
  #size = 0;
  /** The last character was a CR: an LF that follows belongs to the same line end. */
  #afterReturn = false;

  /** Takes the next bytes and returns the events they completed. */
  push(bytes: Uint8Array): StreamEvent[] {
    const events: StreamEvent[] = [];
    const text = this.#decoder.decode(bytes, { stream: true });
    let start = 0;
    for (let i = 0; i < text.length; i++) {
      const character = text[i];
      if (character !== "\n" && character !== "\r") continue;
      const continues = character === "\n" && i === 0 && this.#afterReturn;
      if (!continues) this.#endLine(text.slice(start, i), events);
      if (character === "\r" && text[i + 1] === "\n") i++;
      start = i + 1;
    }
    if (text.length > 0) this.#afterReturn = text.endsWith("\r");
    this.#line += text.slice(start);
    this.#grow(text.length - start);
    return events;
  }

  #endLine(rest: string, events: StreamEvent[]): void {
    const line = this.#line + rest;
    this.#grow(rest.length);
    this.#line = "";
    if (line === "") {
      if (this.#data.length > 0) events.push({ type: this.#type || "message", data: this.#data.join("\n") });
      this.#data = [];
      this.#type = "";
      this.#size = 0;
      return;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.#data.push(value);
    else if (field === "event") this.#type = value;
    else if (colon === 0) this.#size -= line.length; // a comment keeps the connection alive and is forgotten
  }

  #grow(by: number): void {
    this.#size += by;
    if (this.#size > MAX_EVENT) throw new RangeError(`an event of more than ${MAX_EVENT} characters`);
  }
}
