import { messageOf } from "../../model/lib/message-of.ts";
import type { Alert } from "../operator/alerts.ts";
import type { Fault } from "../store/cluster-status.ts";
import type { ClusterLook } from "./cluster-look.ts";

/** Milliseconds between two looks. */
const LOOK_MS = 60_000;

/** What the server that leads finds wrong with its run's cluster, for as long as it leads. */
export class ClusterWatch {
  readonly #look: (signal: AbortSignal) => Promise<Pick<ClusterLook, "faults">>;
  readonly #closing = new AbortController();
  #alerts: readonly Alert[] = [];

  /** What looks ends once its signal aborts: a server that stops would wait for a cluster that does not answer. */
  constructor(look: (signal: AbortSignal) => Promise<Pick<ClusterLook, "faults">>) {
    this.#look = look;
  }

  get alerts(): readonly Alert[] {
    return this.#alerts;
  }

  /** Looks again and again. `sleep` rejects where its signal aborts. */
  async run(sleep: (ms: number, signal: AbortSignal) => Promise<unknown>): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await this.look();
      await sleep(LOOK_MS, signal).catch(() => {});
    }
  }

  /** Never rejects: that a cluster cannot be asked is what an operator must hear. */
  async look(): Promise<void> {
    const faults = await this.#look(this.#closing.signal).then(
      (look) => look.faults,
      (error: unknown): Fault[] => [{ kind: "node", line: messageOf(error) }],
    );
    this.#alerts = alertsOfCluster(faults);
  }

  close(): void {
    this.#closing.abort();
  }
}

/** One alert of each kind. That no server leads the one that leads knows better. */
export function alertsOfCluster(faults: readonly Fault[]): Alert[] {
  const kinds = ["node", "lost", "full", "unsynced"] as const;
  return kinds.flatMap((kind) => {
    const lines = faults.filter((fault) => fault.kind === kind).map(({ line }) => line);
    return lines.length === 0 ? [] : [{ kind, message: lines.join("; ") }];
  });
}
