import { type ReadonlySignal, signal } from "@preact/signals";
import { here } from "../../protocol/address.ts";
import { type ErrorCode, isErrorCode, ProtocolError } from "../../protocol/errors.ts";
import { parseEvent, type RunEvent } from "../../protocol/events.ts";
import { asObject, parseJson } from "../../protocol/guards.ts";
import { type Intermediary, intermediaryOf, intermediaryWith } from "../../protocol/intermediary.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { parseRunStatus, type RunStatus } from "../../protocol/status.ts";
import { timelyFetch } from "../transport/timely-fetch.ts";

/** How the page stands with its server. `mismatch`: it speaks another protocol version. */
export type Connection = "loading" | "live" | "away" | "no-run" | "mismatch";

/** A run as the page sees it: polled whole, and moved along by events in between. */
export interface RunWatch {
  readonly status: ReadonlySignal<RunStatus | undefined>;
  readonly connection: ReadonlySignal<Connection>;
  /** The intermediary that answered in the server's place, while the server is away, if known. */
  readonly why: ReadonlySignal<Intermediary | undefined>;
  close(): void;
}

export interface WatchOptions {
  readonly fetch: typeof fetch;
  /** Opens the event stream. */
  readonly events: (url: string, onData: (data: unknown) => void) => EventStream;
  /** Calls back after this many milliseconds; returns the way to cancel. */
  readonly after: (ms: number, callback: () => void) => () => void;
  /** In [0, 1): spreads the return of many pages to a server that was away. */
  readonly random: () => number;
  /** Called with each event as it comes, for the operator's activity lines. */
  readonly onEvent?: (event: RunEvent) => void;
}

/** The part of an EventSource that watching uses. */
export interface EventStream {
  readonly readyState: number;
  close(): void;
}

/** EventSource.CLOSED: it gave up (an HTTP error), and only a new one helps. */
const CLOSED = 2;
/** Milliseconds that rates and counts of volunteers may be old: events carry everything else. */
const POLL_MS = 5_000;
const FIRST_RETRY_MS = 1_500;
const LAST_RETRY_MS = 30_000;

/** Begins to watch the run of the page's own server. */
export function watchRun(options: WatchOptions): RunWatch {
  const status = signal<RunStatus | undefined>(undefined);
  const connection = signal<Connection>("loading");
  const why = signal<Intermediary | undefined>(undefined);
  let stream: EventStream | undefined;
  let cancel = () => {};
  let retry = FIRST_RETRY_MS;
  let closed = false;

  function listen() {
    if (stream !== undefined && stream.readyState !== CLOSED) return;
    stream = options.events(here(ROUTES.events), (data) => {
      const event = readEvent(data);
      if (event === undefined) return;
      if (status.value !== undefined) status.value = applyEvent(status.value, event);
      options.onEvent?.(event);
    });
  }

  async function poll() {
    let next = POLL_MS;
    const outcome = await askStatus(options.fetch);
    if (closed) return;
    if ("connection" in outcome) {
      why.value = outcome.why;
      connection.value = outcome.connection;
      next = retry * (0.5 + options.random());
      retry = Math.min(retry * 2, LAST_RETRY_MS);
    } else {
      status.value = outcome;
      connection.value = "live";
      retry = FIRST_RETRY_MS;
      listen();
    }
    // A page of another protocol version is beyond help: it reloads, or says so, and asks no more.
    if (connection.value !== "mismatch") cancel = options.after(next, () => void poll());
  }

  void poll();
  return {
    status,
    connection,
    why,
    close() {
      closed = true;
      cancel();
      stream?.close();
    },
  };
}

/** Why a page cannot show its run's status. */
export interface Trouble {
  readonly connection: Exclude<Connection, "loading" | "live">;
  /** The intermediary that answered in the server's place, or why there was no answer. */
  readonly why?: Intermediary;
}

/** Asks once. */
export async function askStatus(ask: typeof fetch): Promise<RunStatus | Trouble> {
  try {
    const response = await ask(here(ROUTES.run), { cache: "no-store", redirect: "manual" });
    const other = intermediaryOf(response);
    if (other !== undefined) return { connection: "away", why: other };
    const body = new Uint8Array(await response.arrayBuffer());
    return response.ok ? parseRunStatus(parseJson(body)) : refusalOf(response.status, body);
  } catch (error) {
    const mismatch = error instanceof ProtocolError && error.code === "protocol-mismatch";
    return mismatch ? { connection: "mismatch" } : { connection: "away" };
  }
}

function refusalOf(status: number, body: Uint8Array): Trouble {
  const code = codeIn(body);
  if (code === undefined) return { connection: "away", why: intermediaryWith(status) };
  if (code === "no-run") return { connection: "no-run" };
  return { connection: code === "protocol-mismatch" ? "mismatch" : "away" };
}

/** The code of a refusal of our server's, or undefined for what another wrote. */
function codeIn(body: Uint8Array): ErrorCode | undefined {
  try {
    const { code } = asObject(parseJson(body).error, "error");
    return isErrorCode(code) ? code : undefined;
  } catch {
    return undefined;
  }
}

function readEvent(data: unknown): RunEvent | undefined {
  try {
    return parseEvent(asObject(JSON.parse(String(data)), "event"));
  } catch {
    return undefined; // an event this page cannot read tells it nothing; the next poll does
  }
}

/** The status after an event: what the next poll will say, now. */
export function applyEvent(status: RunStatus, event: RunEvent): RunStatus {
  switch (event.type) {
    case "hello":
      return { ...status, version: event.version, modelHash: event.hash, state: event.state };
    case "state":
      return { ...status, state: event.state };
    case "version": {
      if (event.version <= status.version) return status;
      const { type: _, ...summary } = event;
      return {
        ...status,
        version: event.version,
        modelHash: event.hash,
        tokensMerged: status.tokensMerged + event.tokens,
        deltas: { ...status.deltas, merged: status.deltas.merged + event.deltas },
        versions: [summary, ...status.versions].slice(0, Math.max(status.versions.length, 20)),
      };
    }
    case "evaluation": {
      const { version, tokens, loss, sample, written, right } = event;
      const known = status.heldOut.filter((point) => point.version !== version);
      return {
        ...status,
        heldOut: [...known, { version, tokens, loss, ...(right !== undefined && { right }) }].sort(
          (a, b) => a.version - b.version,
        ),
        sample:
          status.sample === null || version >= status.sample.version
            ? { version, text: sample, ...(written && { written }) }
            : status.sample,
      };
    }
  }
}

/** A watch with the browser's own fetch, event stream and timers. */
export function watchRunInBrowser(onEvent?: (event: RunEvent) => void): RunWatch {
  return watchRun({
    fetch: timelyFetch(),
    events(url, onData) {
      const stream = new EventSource(url);
      stream.addEventListener("message", ({ data }) => onData(data));
      return stream;
    },
    after(ms, callback) {
      const timer = setTimeout(callback, ms);
      return () => clearTimeout(timer);
    },
    random: Math.random,
    ...(onEvent === undefined ? {} : { onEvent }),
  });
}
