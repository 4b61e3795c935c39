import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { lineOf } from "../../server/cli/failure.ts";
import { type ClusterStatus, faultsIn } from "../../server/store/cluster-status.ts";
import { SILENCE_MS } from "../../server/store/lease.ts";

/** Milliseconds between two looks. */
const LOOK_MS = 100;

/** Asks the cluster how the run does. */
type Look = () => Promise<ClusterStatus>;

/**
 * Resolves when every stream is led, and all that hold it are nearly up to date, to the nodes that lead them. Rejects where
 * that takes longer than `ms`.
 */
export async function whole(look: Look, ms: number) {
  let faults: readonly string[] = [];
  for (const until = performance.now() + ms; performance.now() < until; await sleep(LOOK_MS)) {
    const status = await look().catch(lineOf);
    faults = typeof status === "string" ? [status] : faultsIn(status, SILENCE_MS).map(({ line }) => line);
    if (typeof status !== "string" && faults.length === 0) return leadersIn(status);
  }
  throw new Error(`the cluster does not get whole again: ${faults.join("; ")}`);
}

/** The node that leads each stream. */
function leadersIn({ streams }: ClusterStatus) {
  const [journal, objects, signs, inbox] = streams.map(({ leader }) => leader);
  return { journal, objects, signs, inbox };
}

/** Who leads by now, where that is not who led: the cluster has elected, whoever was killed. */
export async function electedSince(led: ReturnType<typeof leadersIn>, look: Look) {
  const status = await look().catch(() => undefined);
  const now = status && leadersIn(status);
  return isDeepStrictEqual(now, led) ? {} : { now };
}

/** The place of the node of that name. */
export const nodeNumber = (node = "n0"): number => Number(node.slice(1));
