import type { Hash, VolunteerKey } from "./ids.ts";

/** Every path both sides name. What a path answers is in docs/PROTOCOL.md §2. */
export const ROUTES = {
  health: "/healthz",
  run: "/api/run",
  manifest: "/api/manifest",
  tokenizer: "/api/tokenizer.json",
  latestSnapshot: "/api/snapshots/latest.safetensors",
  tickets: "/api/tickets",
  deltas: "/api/deltas",
  events: "/api/events",
  /** The compressed change from `version` to `version + 1`. */
  diff: (version: number) => `/api/diffs/${version}`,
  snapshot: (hash: Hash) => `/api/snapshots/${hash}.safetensors`,
  shard: (hash: Hash) => `/api/shards/${hash}`,
  /** A volunteer's own credit. */
  credit: (volunteer: VolunteerKey) => `/api/volunteers/${volunteer}`,
} as const;
