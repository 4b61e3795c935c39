import { expect, test, vi } from "vitest";
import { utf8 } from "../../protocol/bytes.ts";
import type { RunEvent } from "../../protocol/events.ts";
import { followEvents } from "./events.ts";

const hash = "ab".repeat(32);
const hello = (version: number) =>
  `data: ${JSON.stringify({ type: "hello", version, hash, state: "running" })}\n\n`;

/** A connection that sends these pieces and then ends, or breaks. */
function connection(pieces: readonly string[], end: "ends" | "breaks" = "ends"): Response {
  const queue = pieces.map(utf8);
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const next = queue.shift();
      if (next) controller.enqueue(next);
      else if (end === "breaks") controller.error(new TypeError("reset"));
      else controller.close();
    },
  });
  return new Response(body);
}

/** Follows scripted connections and stops when they are used up. */
async function follow(script: readonly (() => Response | Promise<Response>)[]) {
  const events: RunEvent[] = [];
  const waits: number[] = [];
  const controller = new AbortController();
  let at = 0;
  await followEvents({
    origin: "http://run.test",
    signal: controller.signal,
    event: (event) => events.push(event),
    away: (forMs) => waits.push(forMs),
    random: () => 1,
    sleep: async () => {
      if (at >= script.length) controller.abort();
    },
    fetch: vi.fn(async () => script[at++]!()) as typeof fetch,
  });
  return { events, waits };
}

test("comes back after an end, a break, a refusal and a dead network, waiting longer until it hears a word", async () => {
  const { events, waits } = await follow([
    () => connection([hello(1), ": alive\n\n"]),
    () => connection([hello(2).slice(0, 10), hello(2).slice(10)], "breaks"),
    () => new Response("bad gateway", { status: 502 }),
    () => Promise.reject(new TypeError("network")),
    () => connection([hello(3)]),
  ]);
  expect(events.map((event) => event.type === "hello" && event.version)).toEqual([1, 2, 3]);
  expect(waits).toEqual([1_000, 1_000, 2_000, 4_000, 1_000]);
});

test("a type of a later server is skipped, nonsense ends the connection", async () => {
  const { events } = await follow([
    () => connection(['data: {"type":"fireworks"}\n\n', hello(1), "data: nonsense\n\n", hello(2)]),
    () => connection([hello(3)]),
  ]);
  expect(events.map((event) => event.type === "hello" && event.version)).toEqual([1, 3]);
});

test("a listener's own error is not mistaken for the network's", async () => {
  const failing = followEvents({
    origin: "http://run.test",
    signal: new AbortController().signal,
    event: () => {
      throw new Error("mine");
    },
    random: Math.random,
    sleep: async () => undefined,
    fetch: async () => connection([hello(1)]),
  });
  await expect(failing).rejects.toThrow("mine");
});
