import { beforeEach, describe, expect, it } from "vitest";
import type { ChunkList } from "../../protocol/chunks.ts";
import { diffName, type ObjectName } from "../../protocol/ids.ts";
import { idOf, PeerWorld, type Script } from "../../test/harness/peer-world.ts";
import { Bits } from "./bits.ts";
import type { Hub } from "./hub.ts";
import { decodeMessage, encodeMessage, type Message, PIECE_BYTES } from "./messages.ts";
import type { Brought } from "./waiters.ts";

const CHUNK = 64 * 1024;
const LENGTH = 12 * CHUNK + 777;
const MAX_BYTES = 10 * LENGTH;
const bytes = Uint8Array.from({ length: LENGTH }, (_, i) => (i * 31 + (i >> 8)) % 256);
const OLD = Uint8Array.from(bytes, (byte) => byte ^ 1);
const NAME = diffName(3);

let world: PeerWorld;
let list: ChunkList;
beforeEach(async () => {
  world = new PeerWorld();
  list = await world.publish(NAME, bytes);
});

/** Starts a download; `brought` is there once it is done. */
function bring(hub: Hub, object: ObjectName = NAME) {
  const result: { brought?: Brought; error?: unknown } = {};
  hub.bring(object, MAX_BYTES).then(
    (brought) => {
      result.brought = brought;
    },
    (error: unknown) => {
      result.error = error;
    },
  );
  return result;
}

/** Element by element, `toEqual` takes seconds for as many bytes. */
const same = ({ brought }: { brought?: Brought }) =>
  brought !== undefined && Buffer.compare(brought.bytes, bytes) === 0;

/** A peer that says it has everything, and answers an ask for a chunk as `answer` says. */
const giving =
  (answer: (chunk: number, send: (message: Message) => void) => void): Script =>
  (frame, reply) => {
    const message = decodeMessage(frame);
    const send = (one: Message) => reply(encodeMessage(one));
    if (message.type === "want") send({ type: "have", object: list.hash, bits: Bits.full(13).bytes });
    if (message.type === "ask") answer(message.chunk, send);
  };
const pieces = (from: Uint8Array<ArrayBuffer>, chunk: number, send: (message: Message) => void, more = 0) => {
  const whole = from.subarray(chunk * CHUNK, Math.min(from.length, (chunk + 1) * CHUNK) + more);
  for (let offset = 0; offset < whole.length; offset += PIECE_BYTES) {
    const part = whole.slice(offset, offset + PIECE_BYTES);
    send({ type: "piece", object: list.hash, chunk, offset, bytes: part });
  }
};
const honest = giving((chunk, send) => pieces(bytes, chunk, send));

describe("K2, K7: browsers share", () => {
  it("the first takes it from the server, the next from the first", async () => {
    const [first, second] = [await world.hub("first", { uploadRate: 1e9 }), await world.hub("second")];
    const one = bring(first);
    await world.until(() => one.brought !== undefined);
    expect(same(one)).toBe(true);
    expect(world.egress).toBe(LENGTH);
    world.egress = 0;
    const two = bring(second);
    await world.pass(10_000, () => two.brought !== undefined);
    expect(same(two)).toBe(true);
    expect(world.egress).toBeLessThanOrEqual(LENGTH / 2);
  });

  it("works without anybody, and without a server that introduces", async () => {
    const alone = await world.hub("alone");
    world.introductions.announce = () => {
      throw new Error("no introductions today");
    };
    const one = bring(alone);
    await world.pass(5_000, () => one.brought !== undefined);
    expect(same(one)).toBe(true);
  });

  it("a browser makes the newest snapshot for others when it is asked", async () => {
    const seeder = await world.hub("seeder", { uploadRate: 1e9, make: async () => bytes.slice() });
    const newest = await world.publish(`snapshots/${list.hash}` as ObjectName, bytes);
    seeder.setLatest(newest.hash);
    await seeder.join();
    const two = bring(await world.hub("second"), newest.object);
    await world.pass(10_000, () => two.brought !== undefined);
    expect(same(two)).toBe(true);
    expect(world.egress).toBeLessThanOrEqual(LENGTH / 2);
  });

  it("tells who waits when the server fails, so that it can try as before", async () => {
    const hub = await world.hub("hub");
    world.serverLies = () => {
      throw new Error("away");
    };
    const one = bring(hub);
    await world.pass(20_000, () => one.error !== undefined);
    expect(one.error).toEqual(new Error("away"));
  });
});

describe("A16, K9: a peer that serves wrong bytes", () => {
  const CASES: [string, Script][] = [
    [
      "flipped",
      giving((chunk, send) =>
        pieces(
          Uint8Array.from(bytes, (byte) => byte ^ 255),
          chunk,
          send,
        ),
      ),
    ],
    [
      "one bit flipped",
      giving((chunk, send) =>
        pieces(bytes.with(chunk * CHUNK + 5, bytes[chunk * CHUNK + 5]! ^ 4), chunk, send),
      ),
    ],
    [
      "truncated",
      giving((chunk, send) =>
        send({ type: "piece", object: list.hash, chunk, offset: 0, bytes: bytes.slice(0, 9) }),
      ),
    ],
    ["extended", giving((chunk, send) => pieces(new Uint8Array(LENGTH + 9), chunk, send, 9))],
    ["of an old version", giving((chunk, send) => pieces(OLD, chunk, send))],
    [
      "of another chunk",
      giving((chunk, send) => pieces(bytes, (chunk + 1) % 12, (one) => send({ ...one, chunk } as Message))),
    ],
    [
      "out of order",
      giving((chunk, send) =>
        send({ type: "piece", object: list.hash, chunk, offset: 100, bytes: bytes.slice(0, 9) }),
      ),
    ],
    ["nobody asked for", giving((chunk, send) => pieces(bytes, (chunk + 5) % 13, send))],
    ["stalling", giving(() => {})],
    ["always busy", giving((chunk, send) => send({ type: "busy", object: list.hash, chunk }))],
    ["garbage", (_, reply) => reply(new Uint8Array(40).fill(200))],
    [
      "claims of chunks there are not",
      (_, reply) =>
        reply(encodeMessage({ type: "have", object: list.hash, bits: new Uint8Array(9).fill(255) })),
    ],
    ["silence", () => {}],
  ];

  it("control: an honest one serves nearly everything", async () => {
    world.stranger("peer", [list.hash], honest);
    const one = bring(await world.hub("hub"));
    await world.pass(10_000, () => one.brought !== undefined);
    expect(same(one)).toBe(true);
    expect(world.egress).toBeLessThanOrEqual(LENGTH / 2);
  });

  it.each(CASES)("%s: the right bytes are there within 10 s, from the server", async (_, script) => {
    world.stranger("peer", [list.hash], script);
    const one = bring(await world.hub("hub"));
    const took = await world.pass(10_000, () => one.brought !== undefined);
    expect(took).toBeLessThan(10_000);
    expect(same(one)).toBe(true);
  });

  it.each(CASES.slice(0, 2))(
    "%s: who sent it is shut out for the session, and reported",
    async (_, script) => {
      const liar = world.stranger("liar", [list.hash], script);
      for (const name of ["a", "b", "c"]) {
        const hub = await world.hub(name);
        const one = bring(hub);
        await world.pass(10_000, () => one.brought !== undefined);
        expect(same(one)).toBe(true);
        world.connect(idOf("liar"), idOf(name));
        await world.pass(300);
        hub.close();
      }
      expect(liar.closed).toBe(liar.opened);
      const fourth = await world.hub("fourth");
      const before = liar.opened;
      const one = bring(fourth);
      await world.pass(10_000, () => one.brought !== undefined);
      expect(liar.opened).toBe(before); // three reports: introduced to nobody any more
    },
  );

  it("among honest ones it costs them nothing", async () => {
    world.stranger("liar", [list.hash], CASES[0]![1]);
    world.stranger("stall", [list.hash], CASES[8]![1]);
    for (const name of ["h1", "h2"]) world.stranger(name, [list.hash], honest);
    const one = bring(await world.hub("hub"));
    const took = await world.pass(10_000, () => one.brought !== undefined);
    expect(same(one)).toBe(true);
    expect(took).toBeLessThan(10_000);
  });

  it("a server whose range is wrong is asked again, and nothing of it is kept", async () => {
    let lies = 2;
    world.serverLies = (range) => (lies-- > 0 ? range.map((byte) => byte ^ 1) : range);
    const one = bring(await world.hub("hub"));
    await world.pass(20_000, () => one.brought !== undefined);
    expect(same(one)).toBe(true);
  });
});

describe("A16, K8: a hundred connections", () => {
  it("that ask for everything take nobody's turn, and the page keeps sixteen", async () => {
    const seeder = await world.hub("seeder", { uploadRate: 4 * CHUNK });
    const mine = bring(seeder);
    await world.until(() => mine.brought !== undefined);
    const greedy: Script = () => {};
    for (let n = 0; n < 100; n++) {
      world.stranger(`greedy${n}`, [], greedy);
      world.connect(idOf(`greedy${n}`), idOf("seeder"));
    }
    await world.pass(200);
    expect(seeder.connected).toBeLessThanOrEqual(16);
    await world.pass(6_000); // the idle among them make room
    const one = bring(await world.hub("hub"));
    await world.pass(20_000, () => one.brought !== undefined);
    expect(same(one)).toBe(true);
  });
});
