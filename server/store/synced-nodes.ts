import type { MonitoredNode, UnheardNode } from "./monitored-node.ts";

/** Milliseconds of a node's silence from which it is away: whichever leads hears the others every second. */
export const AWAY_MS = 4_000;
/** Milliseconds of silence from which it may be about to be. */
const MISSED_MS = 1_500;

/** Of what a node may store, the share from which it is said to be nearly full. */
const NEARLY_FULL = 0.9;

/** What the nodes of a cluster say: whether their disks have what they acknowledge, and room for more. */
export interface NodeFindings {
  /** Nodes that have it, by name. */
  readonly synced: readonly string[];
  /** Which do not, or are not known to, each in a line. */
  readonly faults: readonly string[];
  /** Which have no room, each in a line. */
  readonly full: readonly string[];
  /** Which soon have none. */
  readonly nearlyFull: readonly string[];
  /** Nodes that the others do not hear, and that can be asked once they are back. */
  readonly away: readonly string[];
  /** Whether to look again in a moment: the cluster elects, or a node that was not asked may just have died. */
  readonly unsettled: boolean;
}

/** The node that this server is connected to, by its own word. */
export interface ConnectedNode {
  readonly id: string;
  readonly name: string;
}

/**
 * What the monitoring ports of a cluster say, seen from a connection to one of its nodes, which says who the others are. A
 * node that nobody asked counts as one that does not sync, unless it is away.
 */
export function findingsOf(
  own: ConnectedNode,
  answers: readonly (MonitoredNode | UnheardNode)[],
): NodeFindings {
  const unheard = answers.filter((one) => "why" in one);
  // A node of the same name that has another id is another cluster's: nodes of this one hear each other, and that one never.
  const nodes = answers
    .filter((one) => "id" in one)
    .filter(({ id, name }) => id === own.id || name !== own.name);
  const knows = ({ name, others }: MonitoredNode) => [name, ...others.map((other) => other.name)];
  const here = nodes.find(({ id }) => id === own.id) ?? nodes.find((node) => knows(node).includes(own.name));
  const names = here === undefined ? [own.name] : knows(here);
  const ours = nodes.filter(({ name }) => here !== undefined && names.includes(name));
  const lead = ours.find(({ name }) => name === here?.leader);
  const seen = (name: string) => lead?.others.find((other) => other.name === name);
  const unasked = names.filter((name) => ours.every((node) => node.name !== name));
  // A node that led the others and died is not current, though they say that they heard it a moment ago.
  const gone = unasked.filter((name) => {
    const other = seen(name);
    const isConnected = name === own.name; // whatever another cluster says of a node of that name
    return !isConnected && other !== undefined && (!other.current || other.silentMs > AWAY_MS);
  });
  const away = 2 * gone.length < names.length ? gone : [];
  const missing = unasked.filter((name) => !away.includes(name));
  const foreign =
    ours.length === 0 && answers.length > unheard.length ? ["who answers is not of this cluster"] : [];
  const reasons = [...unheard.map(({ place, why }) => `${place}: ${why}`), ...foreign];
  const why = reasons.length > 0 ? ` (${reasons.join("; ")})` : "";
  return {
    synced: ours.filter((node) => node.synced).map(({ name }) => name),
    faults: [
      ...ours.filter((node) => !node.synced).map(({ name }) => unsynced(name)),
      ...(missing.length > 0 ? [`${unknown(missing.join(", "))}${why}`] : []),
    ],
    full: ours.filter(isFull).map(({ name }) => `${name} is full`),
    nearlyFull: ours
      .filter((node) => !isFull(node) && isNearlyFull(node))
      .map(({ name, storage }) => `${name} is nearly full: it may store ${gigabytesLeft(storage)} GB more`),
    away,
    unsettled:
      names.length > 1 &&
      missing.length > 0 &&
      (lead === undefined || missing.some((name) => (seen(name)?.silentMs ?? 0) > MISSED_MS)),
  };
}

const unsynced = (name: string): string =>
  `${name} does not sync its writes, and loses some in a power cut: set sync_interval: always`;
const unknown = (names: string): string =>
  `whether ${names} syncs its writes is not known: open its monitoring port, 8222, or say where it is with --monitor`;

/** Without a limit there always is room. */
const isFull = ({ storage: { used, most } }: MonitoredNode): boolean => most > 0 && used >= most;

const isNearlyFull = ({ storage: { used, most } }: MonitoredNode): boolean =>
  most > 0 && used >= NEARLY_FULL * most;

const gigabytesLeft = ({ used, most }: MonitoredNode["storage"]): string => ((most - used) / 1e9).toFixed(1);
