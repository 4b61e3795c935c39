import type { Command, PeerEvent } from "../../client/p2p/events.ts";
import { Scheduler } from "../../client/p2p/scheduler.ts";
import { chunkLength } from "../../protocol/chunks.ts";
import type { Hash, PeerId, VolunteerKey } from "../../protocol/ids.ts";
import { Introductions } from "../../server/peers/introductions.ts";
import { Heap } from "../lib/heap.ts";

/** One browser that comes, and goes again. */
export interface Visitor {
  /** Milliseconds. */
  readonly arrives: number;
  readonly leaves: number;
  /** Bytes a second. */
  readonly up: number;
  readonly down: number;
  /** To anybody, one way, in milliseconds. */
  readonly latency: number;
}

export interface Crowd {
  readonly visitors: readonly Visitor[];
  /** Bytes of the object that all of them want. */
  readonly length: number;
  /** Bytes of a chunk. */
  readonly size: number;
  /** Bytes a second of the server's uplink. */
  readonly server: number;
  /** Without them everybody takes everything from the server. */
  readonly peers: boolean;
  readonly random: () => number;
}

export interface Outcome {
  /** Bytes that the server sent. */
  readonly egress: number;
  /** From arrival until the object was whole, in milliseconds; undefined for those who left before. */
  readonly took: readonly (number | undefined)[];
}

/** What a data channel takes to come about, in round trips: signalling both ways, ICE, DTLS, SCTP. */
const DIAL_TRIPS = 5;
/** Bytes a second that a visitor gives at most: the client's default. */
export const BUDGET = 1_000_000;
const OBJECT = "a".repeat(64) as Hash;

interface Node {
  readonly index: number;
  readonly visitor: Visitor;
  readonly id: PeerId;
  readonly scheduler: Scheduler;
  readonly open: Set<number>;
  alive: boolean;
  /** When the link has sent, or taken in, all that is under way. */
  upFree: number;
  downFree: number;
  wakes: number;
}

/**
 * Runs the client's own scheduler and the server's own introductions over links that only have a rate and a delay:
 * chunks go out one after another, and come in no faster than the receiver's link. Deterministic.
 */
export function simulate(crowd: Crowd): Outcome {
  const { random, length, size } = crowd;
  const shape = { hash: OBJECT, length, size };
  const heap = new Heap<() => void>();
  let now = 0;
  let egress = 0;
  let serverFree = 0;
  const introductions = new Introductions(() => now, random);
  const took: (number | undefined)[] = crowd.visitors.map(() => undefined);
  const nodes = new Map<PeerId, Node>();
  const later = (ms: number, what: () => void) => heap.push(now + ms, what);

  const tell = (node: Node, event: PeerEvent) => {
    if (!node.alive) return;
    for (const command of node.scheduler.take(event, now)) obey(node, command);
    const at = node.scheduler.wakeAt;
    if (at === undefined || at === node.wakes) return;
    node.wakes = at;
    heap.push(at, () => {
      if (node.wakes === at) {
        node.wakes = 0;
        tell(node, { type: "woke" });
      }
    });
  };
  const trip = (a: Node, b: Node) => a.visitor.latency + b.visitor.latency;
  const hangUp = (node: Node, other: Node) => {
    node.open.delete(other.index);
    if (!other.open.delete(node.index)) return;
    later(trip(node, other), () => tell(other, { type: "closed", peer: node.id }));
  };
  const announce = (node: Node, wants: boolean) => {
    const { id } = node;
    const holds = took[node.index] === undefined ? [] : [OBJECT];
    const announcement = { id, token: id, holds, latest: false, wrong: [], ...(wants && { wants: OBJECT }) };
    const made = introductions.announce(id as string as VolunteerKey, announcement, OBJECT);
    return crowd.peers ? made : { peers: [], swarm: 1, holders: 0 };
  };

  function obey(node: Node, command: Command): void {
    const { visitor } = node;
    if (command.type === "announce") {
      later(2 * visitor.latency, () => {
        if (node.alive) tell(node, { type: "introduced", object: OBJECT, ...announce(node, true) });
      });
      return;
    }
    if (command.type === "fetch") {
      const bytes = chunkLength(shape, command.chunk);
      egress += bytes;
      serverFree = Math.max(now + visitor.latency, serverFree) + (bytes / crowd.server) * 1_000;
      node.downFree = Math.max(serverFree, node.downFree + (bytes / visitor.down) * 1_000);
      const { chunk } = command;
      heap.push(node.downFree + visitor.latency, () =>
        tell(node, { type: "checked", source: "server", object: OBJECT, chunk, good: true }),
      );
      return;
    }
    if (command.type === "complete") {
      took[node.index] = now - visitor.arrives;
      later(visitor.latency, () => node.alive && announce(node, false));
      return;
    }
    if (command.type === "report" || command.type === "sought") return;
    const other = nodes.get(command.peer);
    if (other === undefined) return;
    switch (command.type) {
      case "dial":
        later(DIAL_TRIPS * trip(node, other), () => {
          if (!node.alive || !other.alive || node.open.has(other.index)) return;
          node.open.add(other.index);
          other.open.add(node.index);
          tell(node, { type: "opened", peer: other.id });
          tell(other, { type: "opened", peer: node.id });
        });
        return;
      case "close":
        hangUp(node, other);
        return;
      case "ask":
        deliver(node, other, { type: "ask", object: OBJECT, chunk: command.chunk });
        return;
      case "send":
        if (command.message.type !== "piece") deliver(node, other, command.message);
        return;
      case "serve": {
        const { chunk } = command;
        const bytes = chunkLength(shape, chunk);
        node.upFree = Math.max(now, node.upFree) + (bytes / visitor.up) * 1_000;
        other.downFree = Math.max(node.upFree, other.downFree + (bytes / other.visitor.down) * 1_000);
        heap.push(node.upFree, () => tell(node, { type: "sent", peer: other.id, object: OBJECT, chunk }));
        heap.push(other.downFree + trip(node, other), () => {
          if (!node.alive || !other.scheduler.expects(node.id, OBJECT, chunk)) return;
          tell(other, { type: "checked", source: node.id, object: OBJECT, chunk, good: true });
        });
        return;
      }
    }
  }

  function deliver(from: Node, to: Node, message: Extract<PeerEvent, { type: "heard" }>["message"]): void {
    later(trip(from, to), () => {
      if (from.open.has(to.index)) tell(to, { type: "heard", peer: from.id, message });
    });
  }

  crowd.visitors.forEach((visitor, index) => {
    heap.push(visitor.arrives, () => {
      const id = String(index).padStart(22, "0") as PeerId;
      const scheduler = new Scheduler({ random, now, uploadRate: Math.min(BUDGET, visitor.up) });
      const node: Node = {
        index,
        visitor,
        id,
        scheduler,
        open: new Set(),
        alive: true,
        upFree: 0,
        downFree: 0,
        wakes: 0,
      };
      nodes.set(id, node);
      tell(node, { type: "wanted", shape });
      const again = () => {
        if (!node.alive) return;
        announce(node, took[index] === undefined);
        later(20_000, again);
      };
      later(20_000, again);
      heap.push(visitor.leaves, () => {
        node.alive = false;
        for (const other of nodes.values()) if (node.open.has(other.index)) hangUp(node, other);
      });
    });
  });
  for (let next = heap.pop(); next !== undefined; next = heap.pop()) {
    now = next.at;
    next.what();
  }
  return { egress, took };
}
