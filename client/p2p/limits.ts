/** Bounds and waits among peers, each with its unit and its reason. Times are milliseconds. */

/** Connections at once, of either direction: a browser's data channels cost memory and a slot of its sockets. */
export const MAX_PEERS = 16;
/** Connections that we open ourselves; the rest is left to those who ask us. */
export const MAX_DIALLED = 6;
/** A connection that is not open by then is given up. A TURN relay across an ocean takes two or three seconds. */
export const DIAL_MS = 5_000;

/** Chunks asked of one peer at once: 512 KiB, what 40 Mbit/s brings in a round trip of 100 ms. */
export const PEER_ASKS = 4;
/** Chunks asked of all peers at once for one object. */
export const MAX_ASKS = 24;
/**
 * A chunk must have come by then, or its peer has stalled: dropped, and not asked again. Leaves the server four
 * seconds of the ten that a bad peer may cost.
 */
export const ASK_MS = 6_000;
/** When nothing is left to ask for, what has been under way this long is asked of a second peer too. */
export const HEDGE_MS = 1_500;
/** Chunks of one object that may be asked of two sources at once. */
export const MAX_SOURCES = 2;
/** The first chunks are drawn at random, so that those who begin together have something to exchange. */
export const RANDOM_CHUNKS = 4;
/** A peer that said it was busy is left alone for so long, and up to twice that. */
export const BUSY_MS = 700;
/** One that has said nothing else for so long is not waited for any longer. */
export const MAX_BUSY_MS = 4_000;

/** Chunks asked of the server at once, where it is the only source. */
export const SERVER_ASKS = 4;
/** With missing chunks and nothing under way for so long, the server is asked for one. */
export const IDLE_MS = 600;
/** For so long peers are sought: then the server is asked, for everything where there are none, else chunk by chunk. */
export const SEEK_MS = 1_500;
/** A download that lasts longer has one request to the server under way all the time, whatever peers promise… */
export const SLOW_MS = 8_000;
/** …and as if there were no peers after this long, or after so many of them stalled or lied. */
export const TOO_SLOW_MS = 16_000;
export const MAX_BAD = 3;
/**
 * The part of an object that a newcomer takes from the server from the beginning, times those who share the object:
 * while peers connect it has something to do, and all newcomers together take less than two copies.
 */
export const SHARE_BESIDE_HOLDERS = 0.5;
/** The same where nobody has the object whole yet. */
export const SHARE_OF_NEW = 1;

/** Bytes a second that a visitor gives to peers, unless it chooses otherwise: 8 Mbit/s. */
export const UPLOAD_RATE = 1_000_000;
/** What may go out at once after a rest, in seconds of the rate. */
export const UPLOAD_BURST_SECONDS = 1;
/** A peer whose chunk would wait longer for its turn is told that we are busy. */
export const MAX_WAIT_MS = 2_500;
/** Chunks going out at once, one a peer. */
export const MAX_SERVING = 4;
/** Asks of one peer that wait: twice what an honest one has under way. One more closes the connection. */
export const MAX_QUEUED = 2 * PEER_ASKS;
/** Objects that one peer may want of us at once: a snapshot, a shard, a few diffs. One more closes it. */
export const MAX_WANTED = 16;
/** When we have too few useful peers the server is asked for more, but not more often than this. */
export const ANNOUNCE_EVERY_MS = 5_000;
/** Useful peers below which it is asked. */
export const FEW_PEERS = 3;
