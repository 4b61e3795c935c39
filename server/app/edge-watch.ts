import { processName } from "../lib/process-name.ts";
import { edgeAlertsOf } from "../operator/edge-alerts.ts";
import type { Webhook } from "../operator/webhook.ts";
import type { EdgeNode } from "./edge-node.ts";

/** Milliseconds between two looks. */
const LOOK_MS = 10_000;
/** What one server of a run tells for all of them. */
const SHARED = "leaderless";

export type WatchedNode = Pick<EdgeNode, "health" | "claims"> & {
  readonly service: { manifest(): { readonly name: string } };
};

export interface EdgeWatchParts {
  readonly webhook: Pick<Webhook, "tell">;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly who?: string;
}

/** Tells the operator of a run on a cluster what only servers know that do not lead it. */
export class EdgeWatch {
  readonly #webhook: EdgeWatchParts["webhook"];
  readonly #now: () => number;
  readonly #who: string;
  #run = "a run on a cluster";
  /** When it last followed the run, or began to try. */
  #followed: number;
  #leads = false;
  #claimed: WatchedNode["claims"] | undefined;

  constructor({ webhook, now, who = processName() }: EdgeWatchParts) {
    this.#webhook = webhook;
    this.#now = now;
    this.#who = who;
    this.#followed = now();
  }

  /** Looks until the signal aborts. `sleep` rejects then. */
  async run(
    node: () => WatchedNode | undefined,
    sleep: (ms: number, signal: AbortSignal) => Promise<unknown>,
    signal: AbortSignal,
  ): Promise<void> {
    while (!signal.aborted) {
      await sleep(LOOK_MS, signal).catch(() => {});
      // What a cluster does not answer is asked again at the next look.
      if (!signal.aborted) await this.look(node()).catch(() => {});
    }
  }

  /** Without a node this server cannot follow the run at all. */
  async look(node: WatchedNode | undefined): Promise<void> {
    const now = this.#now();
    const health = node?.health;
    if (node !== undefined && health !== undefined) {
      this.#followed = Math.max(this.#followed, now - health.behindMs);
      this.#run = node.service.manifest().name;
    }
    const behindMs = now - this.#followed;
    const found = edgeAlertsOf({ who: this.#who, leaderSilentMs: health?.leaderSilentMs ?? 0, behindMs });
    const isSilent = found.some(({ kind }) => kind === SHARED);
    if (!isSilent) this.#drop();
    const isOurs = isSilent && node !== undefined && (await node.claims.take(SHARED));
    if (this.#leads) return;
    if (isOurs) this.#claimed = node.claims;
    await this.#webhook.tell(
      this.#run,
      found.filter(({ kind }) => kind !== SHARED || isOurs),
    );
  }

  /** This server leads now: nothing of what it told stands. */
  async over(): Promise<void> {
    this.#leads = true;
    this.#drop();
    await this.#webhook.tell(this.#run, []);
  }

  #drop(): void {
    this.#claimed?.drop(SHARED);
    this.#claimed = undefined;
  }
}
