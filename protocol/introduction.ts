import { as, asArray, asBoolean, asInteger, type Json } from "./guards.ts";
import { type Hash, isHash, isPeerId, type PeerId } from "./ids.ts";

/**
 * A sharing browser's announcement to the server (rule K5), signed like a request for a ticket: by which
 * name its peers reach it, what it can give, and what it seeks.
 */
export interface Announcement {
  /** Drawn for this visit: says nothing of the volunteer. */
  readonly id: PeerId;
  /** Drawn too: who knows it is who announced the id, when it comes to signal. */
  readonly token: PeerId;
  /** Hashes of the objects that are here whole. */
  readonly holds: readonly Hash[];
  /** Whether it can make the run's newest snapshot, whichever that is when it is asked. */
  readonly latest: boolean;
  /** The object that it seeks; absent when it only gives. */
  readonly wants?: Hash;
  /** Peers that sent it a chunk of another hash than they should have. */
  readonly wrong: readonly PeerId[];
}

/** The server's answer. */
export interface Introduction {
  readonly peers: readonly PeerId[];
  /** How many share the object now, the asker among them. */
  readonly swarm: number;
  /** How many of those have it whole. */
  readonly holders: number;
}

/** Objects that one browser offers: its snapshots, shards and the last diffs. */
export const MAX_HELD = 64;
/** Peers in one introduction: a bird follows seven. */
export const MAX_INTRODUCED = 7;
/** Liars in one report. */
const MAX_WRONG = 32;

/** Throws `bad-request`. */
export function parseAnnouncement(json: Json): Announcement {
  return {
    id: as(isPeerId, json.id, "id"),
    token: as(isPeerId, json.token, "token"),
    holds: asArray(json.holds, "holds", MAX_HELD).map((hash) => as(isHash, hash, "holds")),
    latest: asBoolean(json.latest, "latest"),
    ...(json.wants !== undefined && { wants: as(isHash, json.wants, "wants") }),
    wrong: asArray(json.wrong, "wrong", MAX_WRONG).map((id) => as(isPeerId, id, "wrong")),
  };
}

/** Throws `bad-request`. */
export function parseIntroduction(json: Json): Introduction {
  return {
    peers: asArray(json.peers, "peers", MAX_INTRODUCED).map((id) => as(isPeerId, id, "peers")),
    swarm: asInteger(json.swarm, "swarm", 0, Number.MAX_SAFE_INTEGER),
    holders: asInteger(json.holders, "holders", 0, Number.MAX_SAFE_INTEGER),
  };
}
