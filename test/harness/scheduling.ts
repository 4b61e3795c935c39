import { Bits } from "../../client/p2p/bits.ts";
import type { Command, PeerEvent } from "../../client/p2p/events.ts";
import { Scheduler } from "../../client/p2p/scheduler.ts";
import type { Hash, PeerId } from "../../protocol/ids.ts";

/** One scheduler of peers, its clock, and all that it ordered; {@link begin} makes another, before each test. */

export const SIZE = 64 * 1024;
export const COUNT = 20;
export const object = "ab".repeat(32) as Hash;
export const shape = { hash: object, length: COUNT * SIZE - 10, size: SIZE };
export const peer = (n: number) => `peer${n}`.padEnd(22, "_") as PeerId;

export let scheduler: Scheduler;
export let now: number;
export let log: Command[];

/** Another scheduler; `uploadRate` is in bytes a second. */
export function begin(uploadRate = 10 * SIZE, random = congruential(7)) {
  now = 0;
  log = [];
  scheduler = new Scheduler({ random, uploadRate, now });
}

function congruential(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export const take = (event: PeerEvent) => {
  const commands = scheduler.take(event, now);
  log.push(...commands);
  return commands;
};
export const hear = (from: PeerId, message: Extract<PeerEvent, { type: "heard" }>["message"]) =>
  take({ type: "heard", peer: from, message });
/** Lets time pass, waking the scheduler when it asks to be. */
export const pass = (ms: number) => {
  const end = now + ms;
  const heard: Command[] = [];
  for (;;) {
    const at = scheduler.wakeAt;
    if (at === undefined || at > end) break;
    now = at;
    heard.push(...take({ type: "woke" }));
  }
  now = end;
  return heard;
};
export const of = <T extends Command["type"]>(commands: readonly Command[], type: T) =>
  commands.filter((one): one is Extract<Command, { type: T }> => one.type === type);
export const introduce = (...peers: PeerId[]) =>
  take({ type: "introduced", object, peers, swarm: peers.length + 1, holders: peers.length });
/** An open connection to a peer that has all of the object. */
export const seeder = (id: PeerId) => [
  ...take({ type: "opened", peer: id }),
  ...hear(id, { type: "have", object, bits: Bits.full(COUNT).bytes }),
];
export const arrived = (source: PeerId | "server", chunk: number, good = true) =>
  take({ type: "checked", source, object, chunk, good });
