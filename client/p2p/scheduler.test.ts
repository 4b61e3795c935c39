import { beforeEach, describe, expect, it } from "vitest";
import type { Hash } from "../../protocol/ids.ts";
import {
  arrived,
  begin,
  COUNT,
  hear,
  introduce,
  log,
  object,
  of,
  pass,
  peer,
  SIZE,
  scheduler,
  seeder,
  shape,
  take,
} from "../../test/harness/scheduling.ts";
import { Bits } from "./bits.ts";
import { ASK_MS, DIAL_MS, IDLE_MS, PEER_ASKS, SEEK_MS, SERVER_ASKS } from "./limits.ts";

beforeEach(() => begin());

describe("asking", () => {
  it("asks the server for everything, several chunks at once, where there are no peers", () => {
    expect(of(take({ type: "wanted", shape }), "announce")).toHaveLength(1);
    const chunks = new Set<number>();
    const asked = of(introduce(), "fetch");
    expect(asked).toHaveLength(SERVER_ASKS);
    while (asked.length > 0) {
      const { chunk } = asked.shift()!;
      expect(chunks.has(chunk)).toBe(false);
      chunks.add(chunk);
      asked.push(...of(arrived("server", chunk), "fetch"));
    }
    expect(chunks.size).toBe(COUNT);
    expect(of(log, "complete")).toEqual([{ type: "complete", object }]);
  });

  it("asks the server for everything when nobody says who there is", () => {
    take({ type: "wanted", shape });
    expect(of(pass(SEEK_MS - 1), "fetch").length).toBeLessThanOrEqual(1);
    expect(of(pass(1), "fetch").length).toBeGreaterThanOrEqual(SERVER_ASKS - 1);
  });

  it("asks several peers for different chunks, several of each", () => {
    take({ type: "wanted", shape });
    introduce(peer(1), peer(2));
    seeder(peer(1));
    seeder(peer(2));
    const asks = of(log, "ask");
    expect(new Set(asks.map(({ chunk }) => chunk)).size).toBe(2 * PEER_ASKS);
    for (const one of [1, 2]) expect(asks.filter((ask) => ask.peer === peer(one))).toHaveLength(PEER_ASKS);
  });

  it("begins at random, and then asks for the rarest first", () => {
    const firsts = new Set<number>();
    for (let n = 0; n < 30; n++) {
      begin(undefined, () => ((n * 37 + firsts.size * 11) % 97) / 97);
      take({ type: "wanted", shape });
      seeder(peer(1));
      firsts.add(of(log, "ask").at(-PEER_ASKS)!.chunk);
    }
    expect(firsts.size).toBeGreaterThan(3);

    begin();
    take({ type: "wanted", shape });
    const common = new Bits(COUNT);
    for (let chunk = 0; chunk < COUNT - 3; chunk++) common.add(chunk);
    for (const one of [2, 3, 4]) {
      take({ type: "opened", peer: peer(one) });
      hear(peer(one), { type: "have", object, bits: common.bytes });
    }
    log.length = 0;
    seeder(peer(1)); // the only one with the last three chunks
    expect(
      of(log, "ask")
        .filter((ask) => ask.peer === peer(1))
        .slice(0, 3)
        .map(({ chunk }) => chunk)
        .sort(),
    ).toEqual([17, 18, 19]);
  });

  it("asks a second source for what is last and late, and takes the first answer", () => {
    take({ type: "wanted", shape: { ...shape, length: SIZE } });
    const whole = Bits.full(1).bytes;
    for (const one of [1, 2]) {
      take({ type: "opened", peer: peer(one) });
      hear(peer(one), { type: "have", object, bits: whole });
    }
    const first = of(log, "ask");
    expect(first).toHaveLength(1);
    const second = of(pass(2_000), "ask");
    expect(second).toHaveLength(1);
    expect(second[0]!.peer).not.toBe(first[0]!.peer);
    expect(of(arrived(second[0]!.peer, 0), "complete")).toHaveLength(1);
    expect(arrived(first[0]!.peer, 0)).toEqual([]); // late, and nobody's fault
  });

  it("tells those who want it of every chunk, and asks nobody when it has all", () => {
    take({ type: "wanted", shape });
    seeder(peer(1));
    take({ type: "opened", peer: peer(2) });
    hear(peer(2), { type: "want", object });
    const { chunk } = of(log, "ask")[0]!;
    expect(arrived(peer(1), chunk)).toContainEqual({
      type: "send",
      peer: peer(2),
      message: { type: "got", object, chunk },
    });
  });
});

describe("K9: peers that stall, lie or leave", () => {
  const begun = () => {
    take({ type: "wanted", shape });
    introduce(peer(1));
    seeder(peer(1));
  };

  it("one that stalls is left within 6 s, its chunks go to the server, and it is not asked again", () => {
    begun();
    const asked = of(log, "ask").map(({ chunk }) => chunk);
    const before = of(pass(ASK_MS - 1), "close");
    expect(before).toEqual([]);
    const after = pass(IDLE_MS + 1);
    expect(of(after, "close")).toEqual([{ type: "close", peer: peer(1) }]);
    const fetched = of(log, "fetch").map(({ chunk }) => chunk);
    expect(fetched.length).toBeGreaterThan(0);
    for (const chunk of fetched.slice())
      for (const more of of(arrived("server", chunk), "fetch")) fetched.push(more.chunk);
    while (of(log, "complete").length === 0) {
      const chunk = fetched.shift();
      if (chunk === undefined) break;
      fetched.push(...of(arrived("server", chunk), "fetch").map((one) => one.chunk));
    }
    expect(of(log, "complete")).toHaveLength(1);
    expect(of(log, "fetch").map(({ chunk }) => chunk)).toEqual(expect.arrayContaining(asked));
    expect(of(introduce(peer(1)), "dial")).toEqual([]);
    expect(take({ type: "opened", peer: peer(1) })).toEqual([{ type: "close", peer: peer(1) }]);
  });

  it("one that sends another hash is reported and shut out for the session; a good one is not", () => {
    begun();
    const [first, second] = of(log, "ask");
    expect(of(arrived(peer(1), first!.chunk), "report")).toEqual([]); // the control
    const commands = arrived(peer(1), second!.chunk, false);
    expect(of(commands, "report")).toEqual([{ type: "report", peer: peer(1), object, chunk: second!.chunk }]);
    expect(of(commands, "close")).toEqual([{ type: "close", peer: peer(1) }]);
    expect(scheduler.isShunned(peer(1))).toBe(true);
    take({ type: "moved" });
    expect(of(introduce(peer(1)), "dial")).toEqual([]);
  });

  it("one that leaves gives its chunks back at once, and is dialled again only if we moved", () => {
    begun();
    const asked = of(log, "ask").map(({ chunk }) => chunk);
    take({ type: "closed", peer: peer(1) });
    expect(of(introduce(peer(1)), "dial")).toEqual([]);
    seeder(peer(2));
    const again = of(log, "ask").filter((ask) => ask.peer === peer(2));
    expect(again).toHaveLength(PEER_ASKS);
    expect(asked.every((chunk) => !scheduler.expects(peer(1), object, chunk))).toBe(true);
    take({ type: "moved" });
    expect(of(introduce(peer(1)), "dial")).toHaveLength(1);
  });

  it("one that never opens is given up", () => {
    take({ type: "wanted", shape });
    expect(of(introduce(peer(1)), "dial")).toHaveLength(1);
    expect(of(pass(DIAL_MS), "close")).toEqual([{ type: "close", peer: peer(1) }]);
  });

  it("one that has another number of chunks, or asks for one beyond the end, is shut out", () => {
    begun();
    hear(peer(1), { type: "have", object, bits: new Uint8Array(COUNT) });
    expect(scheduler.isShunned(peer(1))).toBe(true);
    take({ type: "held", shape: { ...shape, hash: "cd".repeat(32) as Hash } });
    take({ type: "opened", peer: peer(2) });
    hear(peer(2), { type: "ask", object: "cd".repeat(32) as Hash, chunk: COUNT });
    expect(scheduler.isShunned(peer(2))).toBe(true);
  });
});
