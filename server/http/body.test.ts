import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BodyRoom } from "./body.ts";
import { BODY_IDLE_MS } from "./limits.ts";

const room = (bytes = 1_000_000, bodies = 10) => new BodyRoom({ bodies, bytes });
const length = async (body: Uint8Array) => body.length;

function post(body: ReadableStream, headers: Record<string, string>): Request {
  const init = { method: "POST", body, headers, duplex: "half" }; // duplex: Node's, absent from the DOM's types
  return new Request("http://x/", init);
}

/** A request whose body the test feeds, with any headers: what a socket may claim. */
function fed(headers: Record<string, string> = {}) {
  let feed: ReadableStreamDefaultController<Uint8Array> | undefined;
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      feed = controller;
    },
    cancel: () => {
      cancelled = true;
    },
  });
  const request = post(body, headers);
  return {
    request,
    push: (n: number) => feed?.enqueue(new Uint8Array(n)),
    pushBytes: (bytes: Uint8Array) => feed?.enqueue(bytes),
    end: () => feed?.close(),
    breakOff: () => feed?.error(new Error("socket hang up")),
    wasCancelled: () => cancelled,
  };
}

describe("bodies", () => {
  it("hands over exactly what came, however it was cut", async () => {
    const bytes = Uint8Array.from({ length: 10_000 }, (_, i) => i % 251);
    for (const piece of [1, 7, 1_024, 10_000]) {
      const { request, pushBytes, end } = fed();
      for (let at = 0; at < bytes.length; at += piece) pushBytes(bytes.subarray(at, at + piece));
      end();
      const got = await room().read(request, 10_000, async (read) => read.slice());
      expect(Buffer.compare(got, bytes)).toBe(0);
    }
  });

  it("A5: refuses a declared length over the limit before it reads", async () => {
    const { request, push } = fed({ "content-length": "101" });
    push(1);
    await expect(room().read(request, 100, length)).rejects.toMatchObject({ code: "too-large" });
    expect(request.bodyUsed).toBe(false);
  });

  it("refuses a length that is no number", async () => {
    for (const value of ["-1", "1e3", "0x10", "9".repeat(30)]) {
      const { request } = fed({ "content-length": value });
      await expect(room().read(request, 100, length)).rejects.toMatchObject({ code: "bad-request" });
    }
  });

  it("A5: stops a body that outgrows the limit, whatever its header says", async () => {
    for (const headers of [{}, { "content-length": "10" }]) {
      const { request, push, wasCancelled } = fed(headers);
      const space = room();
      const reading = space.read(request, 100, length);
      push(60);
      push(60);
      await expect(reading).rejects.toMatchObject({ code: "too-large" });
      expect(wasCancelled()).toBe(true);
      expect(space.bytes).toBe(0);
    }
  });

  it("A5, the control: takes a body of exactly the limit", async () => {
    const { request, push, end } = fed();
    push(100);
    end();
    expect(await room().read(request, 100, length)).toBe(100);
  });

  it("gives a broken body its own refusal", async () => {
    const { request, push, breakOff } = fed();
    const reading = room().read(request, 100, length);
    push(10);
    breakOff();
    await expect(reading).rejects.toMatchObject({ code: "bad-request" });
  });

  it("A5: bounds what all bodies hold together, and frees it when their handlers end", async () => {
    const space = room(4_096);
    const first = fed();
    const reading = space.read(first.request, 4_096, length);
    first.push(3_000);
    await vi.waitFor(() => expect(space.bytes).toBeGreaterThanOrEqual(3_000));
    const second = fed();
    second.push(3_000);
    await expect(space.read(second.request, 4_096, length)).rejects.toMatchObject({
      code: "too-many-requests",
      retryAfterMs: expect.any(Number),
    });
    first.end();
    expect(await reading).toBe(3_000);
    expect(space.bytes).toBe(0);
    const third = fed();
    third.push(3_000);
    third.end();
    expect(await space.read(third.request, 4_096, length)).toBe(3_000);
  });

  it("A4: costs a slow sender only what it sent", async () => {
    const space = room(1_000_000, 500);
    const slow = Array.from({ length: 500 }, () => fed({ "content-length": "500000" }));
    const readings = slow.map(({ request }) => space.read(request, 1_000_000, length));
    for (const { push } of slow) push(1);
    await vi.waitFor(() => expect(space.bytes).toBeGreaterThanOrEqual(500));
    expect(space.bytes).toBeLessThanOrEqual(500 * 1_024);
    for (const { end } of slow) end();
    expect(await Promise.all(readings)).toEqual(slow.map(() => 1));
  });

  it("bounds how many are read at once", async () => {
    const space = room(1_000_000, 1);
    const first = fed();
    const reading = space.read(first.request, 100, length);
    await expect(space.read(fed().request, 100, length)).rejects.toMatchObject({ code: "too-many-requests" });
    first.end();
    expect(await reading).toBe(0);
  });

  describe("with a clock", () => {
    beforeEach(() => void vi.useFakeTimers());
    afterEach(() => void vi.useRealTimers());

    it("A4: gives up on a sender that stalls, and not on one that is slow", async () => {
      const { request, push } = fed();
      const reading = expect(room().read(request, 100, length)).rejects.toMatchObject({
        code: "bad-request",
        message: "the body stopped arriving",
      });
      for (let i = 0; i < 5; i++) {
        await vi.advanceTimersByTimeAsync(BODY_IDLE_MS - 1);
        push(1);
        await vi.advanceTimersByTimeAsync(0);
      }
      await vi.advanceTimersByTimeAsync(BODY_IDLE_MS);
      await reading;
    });
  });
});
