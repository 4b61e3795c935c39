import { isHash, isPeerId } from "./ids.ts";
import { count, flag, id, list, message, optional } from "./schema.ts";

/** Objects that one browser offers: its snapshots, shards and the last diffs. */
export const MAX_HELD = 64;
/** Peers in one introduction: a bird follows seven. */
export const MAX_INTRODUCED = 7;
/** Liars in one report. */
const MAX_WRONG = 32;

/** Throws `bad-request`. */
export const parseAnnouncement = message({
  /** Drawn for this visit: says nothing of the volunteer. */
  id: id(isPeerId),
  /** Drawn too: who knows it is who announced the id, when it comes to signal. */
  token: id(isPeerId),
  /** Hashes of the objects that are here whole. */
  holds: list(id(isHash), MAX_HELD),
  /** Whether it can make the run's newest snapshot, whichever that is when it is asked. */
  latest: flag,
  /** The object that it seeks; absent when it only gives. */
  wants: optional(id(isHash)),
  /** Peers that sent it a chunk of another hash than they should have. */
  wrong: list(id(isPeerId), MAX_WRONG),
});
/**
 * A sharing browser's announcement to the server (rule K5), signed like a request for a ticket: by which
 * name its peers reach it, what it can give, and what it seeks.
 */
export type Announcement = ReturnType<typeof parseAnnouncement>;

/** Throws `bad-request`. */
export const parseIntroduction = message({
  peers: list(id(isPeerId), MAX_INTRODUCED),
  /** How many share the object now, the asker among them. */
  swarm: count,
  /** How many of those have it whole. */
  holders: count,
});
/** The server's answer. */
export type Introduction = ReturnType<typeof parseIntroduction>;
