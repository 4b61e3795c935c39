import { MAX_OBJECT_BYTES } from "../../protocol/limits.ts";

/**
 * Bounds of the HTTP edge, each with its unit and where it comes from. Sizes of messages are the protocol's
 * (protocol/limits.ts); these keep one sender from taking the time or the memory of the others.
 */

/** Characters of a request's path: the longest of ours, a snapshot's, has 91. */
export const MAX_PATH_CHARS = 128;

/** Bytes of a request's headers (Node's own default, named so that a change of it is a decision). */
export const MAX_HEADER_BYTES = 16 * 1024;

/** How long a socket may take, in milliseconds. Node's defaults are 60 s, 300 s, and a look every 30 s. */
export interface Waits {
  /** From connecting to the last header. A phone on a bad line needs a second or two. */
  readonly headersMs: number;
  /** From connecting to the last byte of the body: 4 MB at 100 KB/s. */
  readonly requestMs: number;
  /** Milliseconds between two searches for late requests. */
  readonly checkMs: number;
  /** On which nothing moves either way: a reader that never reads. Event streams say something sooner. */
  readonly idleMs: number;
  /** That a reader may fall behind `readRate`; then it is dropped (slow-readers.ts). */
  readonly readMs: number;
  /** Bytes a second that a reader must take while bytes wait for it: half of what a 2G line carries. */
  readonly readRate: number;
  /** A kept connection between two requests. Volunteers come back every few seconds. */
  readonly keepAliveMs: number;
}

export const WAITS: Waits = {
  headersMs: 10_000,
  requestMs: 39_000,
  checkMs: 1_000,
  idleMs: 60_000,
  readMs: 60_000,
  readRate: 8 * 1024,
  keepAliveMs: 20_000,
};

/**
 * Requests on one connection that wait for their answers. Browsers and proxies wait for an answer before they ask
 * again; one packet can carry hundreds of requests, and each would hold memory.
 */
export const MAX_PIPELINED = 16;

/** Milliseconds between two pieces of a body: a sender that stalls longer has gone. */
export const BODY_IDLE_MS = 10_000;

/** Open sockets. Half of them may be event streams. */
export const MAX_CONNECTIONS = 4_096;

/** Open event streams. Further volunteers poll. */
export const MAX_EVENT_STREAMS = 2_048;

/** Bytes that may wait for a slow reader of events before it is dropped: about 200 events. */
export const EVENT_QUEUE_BYTES = 64 * 1024;

/** Milliseconds between two comments that keep proxies from closing a quiet event stream (rule E1). */
export const EVENT_KEEPALIVE_MS = 15_000;

/** Uploads being received or checked; further senders are asked to come back. */
export const MAX_UPLOADS = 512;

/** Requests for a ticket at once: each waits until a version that is being closed is published. */
export const MAX_ASKING = 4_096;

/**
 * Bytes of upload bodies in memory, counted as they arrive: a slow sender costs only what it has sent, and five hundred
 * of them leave space for others. A network's share (below) holds the delta of the largest model in 4 bits a value, 89 MB.
 */
export const MAX_UPLOAD_MEMORY = 512 * 1024 * 1024;

/** Bytes of buffers kept for the next upload. */
export const MAX_POOLED_BYTES = 16 * 1024 * 1024;

/**
 * Part of all connections, bodies and their bytes that one network (network.ts) may hold: enough for a school or an
 * office behind one router, and the rest of the world has what is left.
 */
export const NETWORK_SHARE = 1 / 4;

/** Bytes of an operator's request that an edge passes on: a text is uploaded where the run is made, and never there. */
export const MAX_OPERATOR_BYTES = 1024 * 1024;

/** Bytes of bodies that edges have passed on and that are being answered. They are in memory twice: as a message, and read. */
export const MAX_PASSED_BYTES = MAX_UPLOAD_MEMORY / 2;

/** Part of what edges may have the leading server do at once that one of them may: with one held, others go on. */
export const EDGE_SHARE = 1 / 2;

/** Milliseconds after which a sender that was refused for lack of space may come back. */
export const BUSY_RETRY_MS = 2_000;

/** A bucket of tokens: `burst` at once, then `perSecond`. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** Measurements that one network may send, and all of them together: what a person sends is one or two. */
export const SPEEDS_RATE: Rate = { burst: 6, perSecond: 1 / 600 };
export const ALL_SPEEDS_RATE: Rate = { burst: 60, perSecond: 1 / 10 };

/** Bodies of measurements being read at once. */
export const MAX_SPEEDS_BODIES = 32;

/** Share cards that one network may have drawn, and all of them together: 12 ms each, 2.4% of a processor for good. */
export const CARD_RATE: Rate = { burst: 10, perSecond: 0.2 };
export const CARDS_RATE: Rate = { burst: 40, perSecond: 2 };

/** Share cards kept, of some 10 kB each. */
export const MAX_CARDS = 1_000;

/** Signed requests of one volunteer: a ticket of the smallest model takes some 50 ms, and is two requests. */
export const KEY_RATE: Rate = { burst: 100, perSecond: 40 };

/** Times that one key may ask for all that is held about it: up to a thousand deltas, some 10 ms and 300 KB. */
export const DATA_RATE: Rate = { burst: 10, perSecond: 0.5 };

/** Signed requests from one address: a school or an office behind one router. */
export const ADDRESS_RATE: Rate = { burst: 2_000, perSecond: 400 };

/** Requests that one edge passes on: four times what a server accepts of deltas, with a ticket asked for each. */
export const EDGE_RATE: Rate = { burst: 4_000, perSecond: 2_000 };

/** Downloads to one address: a volunteer that comes back takes up to a hundred diffs at once, a class thirty times. */
export const READ_RATE: Rate = { burst: 3_000, perSecond: 200 };

/** Characters of a version's record or a proof that count as a further request: some 50 of its deltas. */
export const RECORD_UNIT = 10_000;

/** Bytes of diffs, shards and old snapshots kept in memory for the next reader. */
export const MAX_READ_CACHE = 64 * 1024 * 1024;

/** Files read from the disk for askers at once; the largest, a snapshot of the largest model, has 671 MB. */
export const MAX_READS = 4;

/** Keys, and addresses, whose rate is remembered; the least recently seen is forgotten first. */
export const MAX_RATE_ENTRIES = 20_000;

/** Nonces of ticket requests remembered, in two halves (nonces.ts). */
export const MAX_NONCES = 100_000;

/** Bodies of operators' requests being read at once: a person clicks one button at a time. */
export const MAX_OPERATOR_BODIES = 8;

/** Bodies of requests to sign in being read at once: anyone may send one, and take 39 s over it. */
export const MAX_SIGN_INS = 64;

/** Tries to sign in from one address. A link's secret is not to be guessed; this keeps tries out of the log. */
export const SIGN_IN_RATE: Rate = { burst: 10, perSecond: 0.2 };

/** Bytes that a request for work may say came from the mirror: a snapshot of the largest model, and diffs of as much. */
export const MAX_MIRRORED_BYTES = 2 * MAX_OBJECT_BYTES;

/** Texts that one address may have written. */
export const COMPLETION_RATE: Rate = { burst: 10, perSecond: 0.2 };

/** Bodies of requests for a text being read at once, and bytes of one: a prompt, escaped, and the rest. */
export const MAX_COMPLETION_BODIES = 64;
export const MAX_COMPLETION_BYTES = 64 * 1024;

/** Bytes (UTF-8) of a prompt; the model sees the last of it, a context at most. */
export const MAX_PROMPT_BYTES = 8 * 1024;

/** Tokens of a text: the evaluator does nothing else meanwhile. */
export const MAX_COMPLETION_TOKENS = 256;

/**
 * Milliseconds after which a text ends, however short it is: a large model writes a token in seconds, and a version that is
 * to be measured waits for the text.
 */
export const MAX_WRITING_MS = 60_000;

/** Texts at which one may end, and characters of each. */
export const MAX_STOPS = 4;
export const MAX_STOP_CHARS = 100;
