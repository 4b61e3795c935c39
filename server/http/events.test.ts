import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { RunEvent } from "../../protocol/events.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { edge } from "../../test/edge.ts";
import { FakeService, HASH } from "../../test/fake-service.ts";
import { EVENT_KEEPALIVE_MS, EVENT_QUEUE_BYTES, MAX_EVENT_STREAMS } from "../net/limits.ts";

let service: FakeService;
let closing: AbortController;
let app: ReturnType<typeof edge>;
beforeEach(() => {
  service = new FakeService();
  closing = new AbortController();
  app = edge(service, { closing: closing.signal });
});
afterEach(() => {
  closing.abort();
  vi.useRealTimers();
});

const PAUSED: RunEvent = { type: "state", state: "paused" };
const SAMPLE: RunEvent = {
  type: "evaluation",
  version: 4,
  tokens: 9,
  loss: 2.5,
  sample: "line\n\ndata: x\r\n\u2028",
};

async function open(outgoing?: { destroy(): void }) {
  const response = await app.request(ROUTES.events, {}, outgoing === undefined ? {} : { outgoing });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) throw new Error("no stream");
  return { response, reader };
}

describe("the event stream (E1)", () => {
  it("says hello first, then every event, one a message whatever is in it", async () => {
    const { response, reader } = await open();
    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    const hello = { type: "hello", version: 3, hash: HASH, state: "running" };
    const next = async () => {
      const { value = "" } = await reader.read();
      const [line = "", ...rest] = value.split("\n");
      expect(rest).toEqual(["", ""]);
      return JSON.parse(line.replace(/^data: /, ""));
    };
    expect(await next()).toEqual(hello);
    service.emit(PAUSED);
    expect(await next()).toEqual(PAUSED);
    service.emit(SAMPLE);
    expect(await next()).toEqual(SAMPLE);
  });

  it("says something every 15 s", async () => {
    vi.useFakeTimers();
    app = edge(service, { closing: closing.signal });
    const { reader } = await open();
    await reader.read();
    await vi.advanceTimersByTimeAsync(EVENT_KEEPALIVE_MS);
    expect((await reader.read()).value).toBe(": alive\n\n");
  });

  it("A5: drops a listener that does not read, and no other", async () => {
    const hungUp = vi.fn();
    const slow = await app.request(ROUTES.events, {}, { outgoing: { destroy: hungUp } });
    const { reader } = await open();
    const bytes = JSON.stringify(SAMPLE).length;
    for (let i = 0; i < EVENT_QUEUE_BYTES / bytes + 10; i++) {
      service.emit(SAMPLE);
      await reader.read();
    }
    expect(hungUp).toHaveBeenCalledTimes(1);
    // What it had queued is bounded, and ends.
    let queued = 0;
    for await (const chunk of slow.body ?? []) queued += chunk.length;
    expect(queued).toBeLessThanOrEqual(EVENT_QUEUE_BYTES);
    expect(queued).toBeGreaterThan(EVENT_QUEUE_BYTES - 2 * bytes);
  });

  it("A5: takes so many listeners and no more, until one goes", async () => {
    const open = () => app.request(ROUTES.events);
    const first = await open();
    for (let i = 1; i < MAX_EVENT_STREAMS; i++) await open();
    const refused = await open();
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).not.toBeNull();
    await first.body?.cancel();
    expect((await open()).status).toBe(200);
  });

  it("ends every stream, and its subscription, when the server closes", async () => {
    const { reader } = await open();
    await reader.read();
    expect(service.listeners.size).toBe(1);
    closing.abort();
    expect((await reader.read()).done).toBe(true);
    expect(service.listeners.size).toBe(0);
    expect((await app.request(ROUTES.events)).status).toBe(429);
  });
});
