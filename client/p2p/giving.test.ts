import { beforeEach, describe, expect, it } from "vitest";
import type { PeerId } from "../../protocol/ids.ts";
import {
  begin,
  COUNT,
  hear,
  log,
  object,
  of,
  pass,
  peer,
  SIZE,
  scheduler,
  shape,
  take,
} from "../../test/harness/scheduling.ts";
import { Bits } from "./bits.ts";
import { DIAL_MS, MAX_PEERS, MAX_QUEUED, MAX_SERVING } from "./limits.ts";

beforeEach(() => begin());

describe("K8: giving", () => {
  beforeEach(() => {
    take({ type: "held", shape });
  });

  it("says what it has, and gives within its budget", () => {
    begin(SIZE); // a chunk a second
    take({ type: "held", shape });
    take({ type: "opened", peer: peer(1) });
    expect(hear(peer(1), { type: "want", object })).toEqual([
      { type: "send", peer: peer(1), message: { type: "have", object, bits: Bits.full(COUNT).bytes } },
    ]);
    hear(peer(1), { type: "ask", object, chunk: 0 });
    hear(peer(1), { type: "ask", object, chunk: 1 });
    expect(of(log, "serve")).toHaveLength(1);
    take({ type: "sent", peer: peer(1), object, chunk: 0 });
    expect(of(pass(900), "serve")).toHaveLength(0);
    expect(of(pass(200), "serve")).toHaveLength(1);
  });

  it("serves the least served first, however much another asks for", () => {
    for (const one of [1, 2]) take({ type: "opened", peer: peer(one) });
    for (let chunk = 0; chunk < MAX_QUEUED; chunk++) hear(peer(1), { type: "ask", object, chunk });
    for (let chunk = 0; chunk < 3; chunk++) hear(peer(2), { type: "ask", object, chunk });
    const order: PeerId[] = [];
    for (let served = 0; served < 9; served++) {
      pass(1_000);
      for (const one of of(log.splice(0), "serve")) {
        order.push(one.peer);
        take({ type: "sent", peer: one.peer, object, chunk: one.chunk });
      }
    }
    expect(order.slice(0, 6).filter((id) => id === peer(2))).toHaveLength(3);
  });

  it("tells who would wait too long that it is busy, and leaves who asks for more than anyone honest", () => {
    begin(SIZE);
    take({ type: "held", shape });
    take({ type: "opened", peer: peer(1) });
    for (let chunk = 0; chunk < 6; chunk++) hear(peer(1), { type: "ask", object, chunk });
    expect(log.some((one) => one.type === "send" && one.message.type === "busy")).toBe(true);
    expect(scheduler.isShunned(peer(1))).toBe(false);
    begin(1_000 * SIZE);
    take({ type: "held", shape });
    take({ type: "opened", peer: peer(1) });
    for (let chunk = 0; chunk < MAX_QUEUED + 1; chunk++) hear(peer(1), { type: "ask", object, chunk });
    expect(scheduler.isShunned(peer(1))).toBe(false); // the control: one is on its way, the rest wait
    hear(peer(1), { type: "ask", object, chunk: COUNT - 1 });
    expect(scheduler.isShunned(peer(1))).toBe(true);
  });

  it("of a hundred connections keeps sixteen, and still finds room for its own", () => {
    for (let n = 0; n < 100; n++) take({ type: "opened", peer: peer(n) });
    expect(scheduler.connected).toHaveLength(MAX_PEERS);
    for (let n = 0; n < 100; n++) hear(peer(n), { type: "ask", object, chunk: 1 });
    expect(of(log, "serve").length).toBeLessThanOrEqual(MAX_SERVING);
    pass(DIAL_MS); // idle ones make room for one who comes to ask
    take({ type: "opened", peer: peer(200) });
    expect(scheduler.connected).toContain(peer(200));
    expect(scheduler.connected).toHaveLength(MAX_PEERS);
  });

  it("says so when an object goes", () => {
    take({ type: "opened", peer: peer(1) });
    hear(peer(1), { type: "want", object });
    expect(take({ type: "dropped", object })).toContainEqual({
      type: "send",
      peer: peer(1),
      message: { type: "gone", object },
    });
    expect(hear(peer(1), { type: "ask", object, chunk: 0 })).toEqual([
      { type: "send", peer: peer(1), message: { type: "busy", object, chunk: 0 } },
    ]);
  });
});
