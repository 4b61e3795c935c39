import type { JobLine } from "../lib/jobs.ts";
import type { LeaderLine } from "../lib/passing.ts";
import type { Store } from "./store.ts";

/** A store that somebody reads while another process writes to it: what it shows stands still between two refreshes. */
export interface FollowedStore extends Store {
  /** Learns of what was appended, stripped and let go of since. Rejects with a StoreError where something is missing. */
  refresh(): Promise<void>;
  /** Records before this one are read without their frames. */
  readonly stripped: number;
}

/** A run's store on a cluster, by which its servers reach each other too. */
export interface ClusterStore extends FollowedStore {
  readonly line: LeaderLine;
  readonly jobs: JobLine;
}
