import type { Hash, ObjectName, PersonId, TeamId, TicketId, VolunteerKey } from "./ids.ts";

/** Every path both sides name. What a path answers is in docs/PROTOCOL.md §2. */
export const ROUTES = {
  health: "/healthz",
  ready: "/readyz",
  run: "/api/run",
  manifest: "/api/manifest",
  tokenizer: "/api/tokenizer.json",
  latestSnapshot: "/api/snapshots/latest.safetensors",
  tickets: "/api/tickets",
  deltas: "/api/deltas",
  /** Signed: an auditor's answer. */
  audits: "/api/audits",
  /** The delta of an open audit, by the hash of its frame. */
  auditedDelta: (frame: Hash) => `/api/audits/${frame}`,
  events: "/api/events",
  /** The compressed change from `version` to `version + 1`; by its hash as well, it never changes under its name. */
  diff: (version: number, hash?: Hash) => `/api/diffs/${version}${hash === undefined ? "" : `-${hash}`}`,
  snapshot: (hash: Hash) => `/api/snapshots/${hash}.safetensors`,
  shard: (hash: Hash) => `/api/shards/${hash}`,
  /** The signed list of an object's chunks. */
  chunks: (object: ObjectName) => `/api/chunks/${object}`,
  /** Announces a browser that shares, and introduces it to others. */
  peers: "/api/peers",
  /** The signed record of what a version was made of, from version 1. */
  version: (version: number) => `/api/versions/${version}`,
  /** The proof that the delta of a ticket is in a version. */
  proof: (ticket: TicketId) => `/api/proofs/${ticket}`,
  /** A volunteer's own credit. */
  credit: (volunteer: VolunteerKey) => `/api/volunteers/${volunteer}`,
  /** Measurements of `/bench` that visitors sent (speeds.ts). */
  speeds: "/api/speeds",
  /** Volunteers who gave themselves a name. */
  leaders: "/api/leaders",
  /** The runs of a server of several, beside them. */
  runs: "/api/runs",
  /** A person's page as data, and as a picture for social networks. */
  person: (id: PersonId) => `/api/people/${id}`,
  personCard: (id: PersonId) => `/api/people/${id}/card.png`,
  /** Teams, and one of them. */
  teams: "/api/teams",
  team: (id: TeamId) => `/api/teams/${id}`,
  /** Signed: the team that a volunteer joins or leaves. */
  myTeam: "/api/me/team",
  /** Signed: a volunteer's name, all that the server holds about them, and the end of it. */
  myName: "/api/me/name",
  myData: "/api/me/data",
  /** Signed, by another key too: that both are one person's. */
  myLink: "/api/me/link",
  /** Signed: two open pages of one person meet here, to carry its key over. */
  myCode: "/api/me/code",
  forgetMe: "/api/me/forget",
} as const;

/** Where browsers' data channels are introduced to each other: a WebSocket, PeerJS' own path under ours. */
export const SIGNALLING_PATH = `${ROUTES.peers}/peerjs`;

/** Where an object's bytes are below a mirror: they never change under their name, so a diff's has its hash. */
export const pathInMirror = (object: ObjectName, hash: Hash): string =>
  object.startsWith("diffs/") ? `/api/${object}-${hash}` : pathOfObject(object);

/** Where an object's bytes are, whole or by range. */
export function pathOfObject(object: ObjectName): string {
  return object.startsWith("snapshots/") ? `/api/${object}.safetensors` : `/api/${object}`;
}

/** In OpenAI's form: the current version writes on (rule Q1), and its name. Apart, since no page asks for them. */
export const WRITING_ROUTES = { completions: "/v1/completions", models: "/v1/models" } as const;
