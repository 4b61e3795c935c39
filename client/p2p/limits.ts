/** Bounds and waits among peers, each with its unit and its reason. Times are milliseconds. */

/** Connections at once, of either direction: a browser's data channels cost memory and a slot of its sockets. */
export const MAX_PEERS = 16;
/** Connections that we open ourselves; the rest is left to those who ask us. */
export const MAX_DIALLED = 6;
/** Milliseconds a connection has to open. A TURN relay across an ocean takes two or three seconds. */
export const DIAL_MS = 5_000;

/** Chunks asked of one peer at once: 512 KiB, what 40 Mbit/s brings in a round trip of 100 ms. */
export const PEER_ASKS = 4;
/** Chunks asked of all peers at once for one object. */
export const MAX_ASKS = 24;
/**
 * Milliseconds a peer has to send a chunk; then it has stalled, and is dropped and not asked again. The server has the
 * other four seconds of the ten that a bad peer may cost.
 */
export const ASK_MS = 6_000;
/**
 * Milliseconds after which an outstanding chunk is asked of a second peer too, when nothing else is left to ask for.
 */
export const HEDGE_MS = 1_500;
/** Chunks of one object that may be asked of two sources at once. */
export const MAX_SOURCES = 2;
/** Chunks drawn at random at first, so that peers that begin together have something to exchange. */
export const RANDOM_CHUNKS = 4;
/** Milliseconds, and up to twice as many, that a busy peer is left alone. */
export const BUSY_MS = 700;
/** Milliseconds after which a peer that has only said that it is busy is given up. */
export const MAX_BUSY_MS = 4_000;

/** Chunks asked of the server at once, where it is the only source. */
export const SERVER_ASKS = 4;
/** Milliseconds without any request under way after which the server is asked for a missing chunk. */
export const IDLE_MS = 600;
/**
 * Milliseconds that peers are sought; then the server is asked for everything where there are none, and else chunk by
 * chunk.
 */
export const SEEK_MS = 1_500;
/** Milliseconds after which a download always has one request to the server under way, whatever peers promise. */
export const SLOW_MS = 8_000;
/** Milliseconds after which a download goes on as if there were no peers; the same after {@link MAX_BAD} of them. */
export const TOO_SLOW_MS = 16_000;
export const MAX_BAD = 3;
/**
 * Part of an object, divided by those who share it, that a newcomer takes from the server at once: it has something to
 * do while peers connect, and all newcomers together take less than two copies.
 */
export const SHARE_BESIDE_HOLDERS = 0.5;
/** Part of an object, the same, where nobody has it whole yet. */
export const SHARE_OF_NEW = 1;

/** Bytes a second that a visitor gives to peers, unless it chooses otherwise: 8 Mbit/s. */
export const UPLOAD_RATE = 1_000_000;
/** Seconds of the rate that may go out at once after a rest. */
export const UPLOAD_BURST_SECONDS = 1;
/** Milliseconds a peer's chunk may wait for its turn; beyond that we answer that we are busy. */
export const MAX_WAIT_MS = 2_500;
/** Chunks going out at once, one a peer. */
export const MAX_SERVING = 4;
/** Asks of one peer that wait: twice what an honest one has under way. One more closes the connection. */
export const MAX_QUEUED = 2 * PEER_ASKS;
/** Objects that one peer may want of us at once: a snapshot, a shard, a few diffs. One more closes it. */
export const MAX_WANTED = 16;
/** Milliseconds between two requests for more peers, when too few are useful. */
export const ANNOUNCE_EVERY_MS = 5_000;
/** Useful peers below which the server is asked for more. */
export const FEW_PEERS = 3;
