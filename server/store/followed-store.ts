import type { Claims } from "../lib/claims.ts";
import type { JobLine } from "../lib/jobs.ts";
import type { LeaderLine } from "../lib/passing.ts";
import type { KeptBlocks } from "./block-cache.ts";
import type { BlockAt } from "./nats-blocks.ts";
import type { Store } from "./store.ts";

/** What a store has read of a run: one that the same process opens next need not ask for it again. */
export interface Learned {
  readonly blocks: readonly BlockAt[];
  readonly kept: KeptBlocks;
  /** Names of objects that are there. */
  readonly names: ReadonlySet<string>;
}

/** A store that somebody reads while another process writes to it: what it shows stands still between two refreshes. */
export interface FollowedStore extends Store {
  /** Learns of what was appended, stripped and let go of since. Rejects with a StoreError where something is missing. */
  refresh(): Promise<void>;
  /** Messages of the journal that came since the last refresh; absent where nobody counts them. */
  readonly unread?: () => Promise<number>;
  /** Records before this one are read without their frames. */
  readonly stripped: number;
  /** Absent where reading costs nobody anything. */
  readonly learned?: Learned;
}

/** What read a run while another server led lets go of it. */
export interface Handover {
  readonly learned: Learned | undefined;
  /** Resolves when it has let go of the index. */
  readonly over: Promise<void>;
}

/** A run's store on a cluster, by which its servers reach each other too. */
export interface ClusterStore extends FollowedStore {
  readonly line: LeaderLine;
  readonly jobs: JobLine;
  readonly claims: Claims;
}
