import { expect, test } from "vitest";
import { utf8 } from "../../protocol/bytes.ts";
import { WrongBytes } from "./away.ts";
import { readEvents } from "./events.ts";

const hash = "ab".repeat(32);
const hello = { type: "hello", version: 3, hash, state: "running" };

async function read(chunks: readonly string[]) {
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(utf8(chunk));
      controller.close();
    },
  });
  const events = [];
  let bytes = 0;
  for await (const event of readEvents(stream, (more) => {
    bytes += more;
  }))
    events.push(event);
  return { events, bytes };
}

test("events come whole, however they were cut on their way", async () => {
  const text = `: alive\n\ndata: ${JSON.stringify(hello)}\n\ndata: {"type":"state",\r\ndata: "state":"paused"}\r\n\r\n`;
  const wanted = [hello, { type: "state", state: "paused" }];
  expect(await read([text])).toEqual({ events: wanted, bytes: text.length });
  expect((await read([...text])).events).toEqual(wanted);
});

test("what is unknown, broken or unfinished is skipped", async () => {
  const { events } = await read([
    'data: {"type":"of a later release"}\n\n',
    "data: {\n\n",
    "event: x\n\n",
    `data: ${JSON.stringify({ ...hello, hash: "no hash" })}\n\n`,
    `data: ${JSON.stringify(hello)}\n\n`,
    `data: ${JSON.stringify(hello)}`,
  ]);
  expect(events).toEqual([hello]);
});

test("an event without end is not gathered for ever", async () => {
  await expect(read(Array.from({ length: 70 }, () => "x".repeat(1024)))).rejects.toThrow(WrongBytes);
});
