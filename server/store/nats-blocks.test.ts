import type { JetStreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { expect, test } from "vitest";
import { type BlocksOptions, headersOf, readBlocks } from "./nats-blocks.ts";
import { DamagedReplica } from "./nats-errors.ts";

const BYTES = 40;

/** A stream of blocks of two records each, without a server; its connection cannot be used, as to make a consumer. */
class FakeStream {
  readonly asked: number[] = [];
  first = 1;
  last = 0;
  readonly missing = new Set<number>();
  /** Called before a message is looked for. */
  meanwhile = (_: number) => {};

  get options(): BlocksOptions {
    const streams = {
      info: async () => ({
        state: {
          ...{ first_seq: this.first, last_seq: this.last, num_deleted: 0 },
          messages: this.last + 1 - this.first,
          bytes: (this.last + 1 - this.first) * BYTES,
        },
      }),
      getMessage: async (_: string, { seq }: { seq: number }) => {
        this.asked.push(seq);
        this.meanwhile(seq);
        if (seq < this.first || this.missing.has(seq)) return null;
        const header = headersOf({ first: 2 * seq, records: 2, check: seq, taken: 0 }, "w");
        return { seq, header, data: new Uint8Array(BYTES).fill(seq) };
      },
    };
    return {
      stream: "S",
      manager: { streams } as unknown as Pick<JetStreamManager, "streams">,
      bringer: { streams } as unknown as Pick<JetStreamManager, "streams">,
      connection: undefined as unknown as NatsConnection,
    };
  }
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

test("who follows a stream asks for its new messages alone, each once, and has their bytes with their places", async () => {
  const stream = new FakeStream();
  stream.last = 40;
  const { blocks, data } = await readBlocks(stream.options);
  expect(blocks.map(({ seq }) => seq)).toEqual(numbers(1, 40));
  expect(stream.asked).toEqual(numbers(1, 40));
  expect(data.get(7)).toEqual(new Uint8Array(BYTES).fill(7));
  stream.last = 43;
  stream.first = 30;
  const next = await readBlocks(stream.options, blocks);
  expect(next.blocks.map(({ seq }) => seq)).toEqual(numbers(30, 43));
  expect(stream.asked.slice(40)).toEqual(numbers(41, 43));
  expect([...next.data.keys()]).toEqual(numbers(41, 43));
  expect((await readBlocks(stream.options, next.blocks)).data.size).toBe(0);
});

test("what was let go of while it was read is no damage: reading begins again behind it", async () => {
  const stream = new FakeStream();
  stream.last = 20;
  stream.meanwhile = (seq) => {
    if (seq === 5) [stream.first, stream.last] = [15, 22];
  };
  const { blocks } = await readBlocks(stream.options);
  expect(blocks.map(({ seq }) => seq)).toEqual(numbers(15, 22));
});

test("a message that is missing in the middle is damage", async () => {
  const stream = new FakeStream();
  stream.last = 20;
  stream.missing.add(9);
  await expect(readBlocks(stream.options)).rejects.toThrow(DamagedReplica);
  await expect(readBlocks(stream.options)).rejects.toThrow("gap before message 9");
});
