import { utf8 } from "../../protocol/bytes.ts";
import { parseEvent, type RunEvent } from "../../protocol/events.ts";
import { parseJson } from "../../protocol/guards.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { PROTOCOL_HEADER, PROTOCOL_VERSION } from "../../protocol/version.ts";
import { Backoff } from "./backoff.ts";
import { Watchdog } from "./body.ts";
import { StreamParser } from "./sse.ts";

/** The server sends a comment every 15 s: three missed ones mean that it is gone. */
const SILENCE_MS = 45_000;

export interface FollowOptions {
  /** E.g. `https://example.org`, without a path. */
  readonly origin: string;
  readonly signal: AbortSignal;
  readonly event: (event: RunEvent) => void;
  /** Hears that the stream broke, and after how many milliseconds it is tried again. */
  readonly away?: (forMs: number) => void;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly random: () => number;
  readonly fetch?: typeof fetch;
}

/**
 * Follows a run's events until the signal aborts, coming back with jitter after every break. Each connection
 * begins with `hello`, so a listener that takes its state from there misses nothing that matters. Rejects only
 * where `event` throws.
 */
export async function followEvents(options: FollowOptions): Promise<void> {
  const { signal, event, away, sleep, random } = options;
  const backoff = new Backoff(random);
  while (!signal.aborted) {
    for await (const known of connection(options)) {
      backoff.reset();
      event(known);
    }
    if (signal.aborted) return;
    const wait = backoff.next();
    away?.(wait);
    await sleep(wait, signal).catch(() => undefined);
  }
}

/** The events of one connection, until it ends, breaks, falls silent or says what no server of ours says. */
async function* connection({
  origin,
  signal,
  fetch = globalThis.fetch,
}: FollowOptions): AsyncGenerator<RunEvent> {
  const watchdog = new Watchdog(signal, SILENCE_MS);
  const parser = new StreamParser();
  try {
    const headers = { accept: "text/event-stream", [PROTOCOL_HEADER]: String(PROTOCOL_VERSION) };
    const response = await fetch(origin + ROUTES.events, {
      headers,
      signal: watchdog.signal,
      cache: "no-store",
    });
    if (!response.ok || response.body === null) return;
    const stream = response.body.getReader();
    for (;;) {
      const { value, done } = await stream.read();
      if (done) return;
      watchdog.touch();
      for (const { data } of parser.push(value)) {
        const known = parseEvent(parseJson(utf8(data)));
        if (known !== undefined) yield known;
      }
    }
  } catch {
    // However a connection ends, the answer is the same: come back later.
  } finally {
    watchdog.done();
  }
}
