import { AckPolicy, DeliverPolicy, type JetStreamManager, jetstream } from "@nats-io/jetstream";
import { type NatsConnection, nuid } from "@nats-io/transport-node";
import type { StreamCheck } from "./cluster-status.ts";
import { inboxStream } from "./inbox.ts";
import { logStream } from "./nats-log.ts";
import { managerOf, streamIfThere } from "./nats-manager.ts";
import { objectStream } from "./nats-objects.ts";

/** Milliseconds for which a node may say nothing while it reads its disk. */
const READ_MS = 10_000;
/** Consumers that are made until one lies on the node that is wanted: of three nodes each gets a third of them. */
const MAX_CONSUMERS = 60;
/** Milliseconds after which a consumer that is left ends by itself. */
const IDLE_MS = 60_000;
/** Messages that a line names. */
const NAMED = 5;

/**
 * Reads all of a run's streams on every node. One whose disk has lost a message says so to nobody, and only who reads there
 * finds it: a consumer that is not copied lies on one node, and reads that one's disk. None where there is no such run.
 */
export async function checkNodes(connection: NatsConnection, name: string): Promise<StreamCheck[]> {
  const manager = await managerOf(connection);
  const checks: StreamCheck[] = [];
  // The stream of signs has one message, which is another twice a second.
  for (const stream of [logStream(name), objectStream(name), inboxStream(name)]) {
    const check = await checkStream(connection, manager, stream);
    if (check !== undefined) checks.push(check);
  }
  return checks;
}

/** Which of the messages from one on are there: 1 or 0 for each. */
interface Range {
  readonly from: number;
  readonly there: Uint8Array;
}

async function checkStream(
  connection: NatsConnection,
  manager: JetStreamManager,
  stream: string,
): Promise<StreamCheck | undefined> {
  const found = await streamIfThere(manager, stream);
  if (found === undefined) return undefined;
  const { state, cluster } = found;
  const replicas = cluster?.replicas ?? [];
  const nodes = [cluster?.leader ?? "", ...replicas.filter(({ offline }) => !offline).map((one) => one.name)];
  const faults: string[] = replicas.flatMap(({ name: node, offline }) =>
    offline ? [`${node} is offline, and holds ${stream}`] : [],
  );
  const readAll = async (from: number, to: number) => {
    const ranges = new Map<string, Range>();
    for (const node of nodes) {
      const range = await readOn({ connection, manager, stream }, node, from, to);
      if (range === undefined) faults.push(`${node} cannot be read: it says nothing of ${stream}`);
      else ranges.set(node, range);
    }
    return ranges;
  };
  if (state.messages === 0) return { stream, messages: 0, faults };
  const first = await readAll(state.first_seq, state.last_seq);
  const odd = oddIn([...first.values()]);
  const messages = anyIn([...first.values()]);
  if (odd.length === 0 || faults.length > 0) return { stream, messages, faults };
  // What was removed or stored while they were read is there on all of them, or on none, by now.
  const again = await readAll(odd[0]!, odd.at(-1)!);
  const still = new Set(oddIn([...again.values()]));
  for (const [node, { from, there }] of again) {
    const lacked = odd.filter((seq) => still.has(seq) && there[seq - from] === 0);
    if (lacked.length === 0) continue;
    const named = `${lacked.slice(0, NAMED).join(", ")}${lacked.length > NAMED ? ", …" : ""}`;
    faults.push(`${node} has lost ${lacked.length} messages of ${stream} (${named}): replace its disk`);
  }
  return { stream, messages, faults };
}

/** The messages that some have and others lack, in order. */
function oddIn(ranges: readonly Range[]): number[] {
  const [one] = ranges;
  if (one === undefined) return [];
  const odd: number[] = [];
  for (let i = 0; i < one.there.length; i++)
    if (ranges.some(({ there }) => there[i] !== one.there[i])) odd.push(one.from + i);
  return odd;
}

function anyIn(ranges: readonly Range[]): number {
  let count = 0;
  for (let i = 0; i < (ranges[0]?.there.length ?? 0); i++)
    if (ranges.some(({ there }) => there[i] === 1)) count++;
  return count;
}

interface Place {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly stream: string;
}

/** What a node has of the messages from one to another, by their headers; undefined where it does not say. */
async function readOn(place: Place, node: string, from: number, to: number): Promise<Range | undefined> {
  const { connection, manager, stream } = place;
  const name = await consumerOn(place, node, from);
  if (name === undefined) return undefined;
  const there = new Uint8Array(to - from + 1);
  const messages = await (await jetstream(connection).consumers.get(stream, name)).consume();
  let isOver = false;
  // The end of what it has may be missing: then nothing more comes, and it says that nothing waits.
  const quiet = setTimeout(() => messages.stop(), READ_MS);
  try {
    for await (const { seq, info } of messages) {
      if (seq <= to) there[seq - from] = 1;
      isOver = seq >= to || info.pending === 0;
      if (isOver) break;
      quiet.refresh();
    }
    if (!isOver) isOver = (await manager.consumers.info(stream, name)).num_pending === 0;
  } finally {
    clearTimeout(quiet);
    await messages.close();
    await manager.consumers.delete(stream, name).catch(() => {}); // it ends by itself
  }
  return isOver ? { from, there } : undefined;
}

/** A consumer of a stream that lies on one node; undefined where none does after many tries. */
async function consumerOn(
  { manager, stream }: Place,
  node: string,
  from: number,
): Promise<string | undefined> {
  for (let made = 0; made < MAX_CONSUMERS; made++) {
    const name = nuid.next();
    const { cluster } = await manager.consumers.add(stream, {
      ...{ name, num_replicas: 1, mem_storage: true, headers_only: true, ack_policy: AckPolicy.None },
      ...{ deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: from },
      inactive_threshold: IDLE_MS * 1e6,
    });
    if ((cluster?.leader ?? "") === node || cluster === undefined) return name;
    await manager.consumers.delete(stream, name).catch(() => {});
  }
  return undefined;
}
