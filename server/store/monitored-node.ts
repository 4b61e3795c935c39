import { messageOf } from "../../model/lib/message-of.ts";
import { asArray, asBoolean, asObject, asText, parseJson } from "../../protocol/guards.ts";
import { count } from "../../protocol/schema.ts";

/** Milliseconds in which a node's monitoring port must answer, and bytes of its answer at most: it says 4,000. */
const ANSWER_MS = 3_000;
const MAX_ANSWER_BYTES = 256 * 1024;
/** Characters of a name that a node says, and nodes of a cluster. */
const MAX_NAME_CHARS = 256;
const MAX_NODES = 64;

/** What a node says of itself on its monitoring port. */
export interface MonitoredNode {
  readonly id: string;
  readonly name: string;
  /** Whether its disk has what it acknowledges. */
  readonly synced: boolean;
  /** Bytes that its disk has of all streams, and may have. */
  readonly storage: { readonly used: number; readonly most: number };
  /** The node that leads all of them, and decides what the others are; undefined while none does, and of one by itself. */
  readonly leader: string | undefined;
  /** The other nodes. How each does, and the milliseconds since it was heard, only the node that leads them knows. */
  readonly others: readonly { readonly name: string; readonly current: boolean; readonly silentMs: number }[];
}

/** A monitoring port that said nothing of use. */
export interface UnheardNode {
  readonly place: string;
  readonly why: string;
}

/** Asks the monitoring port of a node, `10.0.0.1:8222`. Never rejects: whoever answers there may be anybody. */
export async function askNode(
  place: string,
  ask: typeof fetch = fetch,
): Promise<MonitoredNode | UnheardNode> {
  try {
    const signal = AbortSignal.timeout(ANSWER_MS);
    const response = await ask(`http://${place}/varz`, { redirect: "error", signal });
    if (!response.ok) throw new Error(`it answers ${response.status}`);
    return parseMonitored(await bounded(response));
  } catch (error) {
    const reason = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return { place, why: messageOf(reason) };
  }
}

async function bounded(response: Response): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    if (length > MAX_ANSWER_BYTES) throw new Error("it answers with too much");
    parts.push(part);
  }
  return new Uint8Array(Buffer.concat(parts));
}

/** Reads nats-server's `/varz`. Throws a ProtocolError where it says something else. */
export function parseMonitored(bytes: Uint8Array): MonitoredNode {
  const { server_id, server_name, jetstream } = parseJson(bytes);
  const { config, meta, stats } = asObject(jetstream, "jetstream");
  // It is left out where the node syncs every few minutes; `sync_interval` says two minutes whether it is there or not.
  const { sync_always = false, max_storage = 0 } = asObject(config ?? {}, "config");
  const { storage = 0 } = asObject(stats ?? {}, "stats");
  const { leader, replicas } = asObject(meta ?? {}, "meta");
  return {
    id: nameIn(server_id, "server_id"),
    name: nameIn(server_name, "server_name"),
    synced: config !== undefined && asBoolean(sync_always, "sync_always"),
    storage: { used: count(storage, "storage"), most: count(max_storage, "max_storage") },
    leader: leader === undefined || leader === "" ? undefined : nameIn(leader, "leader"),
    others: asArray(replicas ?? [], "replicas", MAX_NODES).map((one) => {
      const { name, current, active = 0 } = asObject(one, "replicas");
      return {
        name: nameIn(name, "name"),
        current: asBoolean(current, "current"),
        silentMs: count(active, "active") / 1e6, // told in nanoseconds
      };
    }),
  };
}

/** For a terminal too, which takes control characters for commands. */
const nameIn = (value: unknown, field: string): string =>
  asText(value, field, MAX_NAME_CHARS).replaceAll(/[^\x20-\x7e]/g, "?");
