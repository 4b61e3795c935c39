import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fed } from "../../test/fed-request.ts";
import { BODY_IDLE_MS } from "../net/limits.ts";
import { UploadLimiter, UploadRoom } from "./upload-limiter.ts";

const room = (bytes = 1_000_000, bodies = 10) => new UploadLimiter({ bodies, bytes });
const length = async (body: Uint8Array) => body.length;

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

  it("uses a large body's buffer again once its handler is done, and never before", async () => {
    const limits = { bodies: 8, bytes: 10_000_000 };
    const read = async (space: UploadLimiter, fill: number, until: Promise<void>) => {
      const { request, pushBytes, end } = fed({ "content-length": "200000" });
      pushBytes(new Uint8Array(200_000).fill(fill));
      end();
      return space.read(request, 300_000, async (body) => {
        await until;
        expect(body.every((byte) => byte === fill)).toBe(true);
        return body.buffer;
      });
    };
    const space = new UploadLimiter(limits, limits, 1_000_000);
    const { promise, resolve } = Promise.withResolvers<void>();
    const first = read(space, 1, promise);
    const second = await read(space, 2, Promise.resolve());
    const third = await read(space, 3, Promise.resolve());
    expect(third).toBe(second);
    resolve();
    expect(await first).not.toBe(second);
    expect(space.bytes).toBe(0);
    const control = new UploadLimiter(limits);
    expect(await read(control, 1, promise)).not.toBe(await read(control, 2, promise));
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

  it("A5: gives one network a part of the bytes; the control: without a part it takes them all", async () => {
    const all = { bodies: 10, bytes: 8_192 };
    for (const part of [{ bodies: 10, bytes: 4_096 }, all]) {
      const space = new UploadLimiter(all, part);
      const greedy = [fed(), fed()];
      const readings = greedy.map(({ request }) =>
        space.read(request, 4_096, length, "a").catch((error: { code?: string }) => error.code),
      );
      for (const { push } of greedy) push(4_096);
      const honest = fed();
      honest.push(3_000);
      honest.end();
      const taken = await space.read(honest.request, 4_096, length, "b").catch(({ code }) => code);
      expect(taken).toBe(part === all ? "too-many-requests" : 3_000);
      for (const { end, wasCancelled } of greedy) if (!wasCancelled()) end();
      expect(await Promise.all(readings)).toEqual([4_096, part === all ? 4_096 : "too-many-requests"]);
      expect(space.bytes).toBe(0);
    }
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

describe("of several runs", () => {
  const CAPACITY = { bodies: 10, bytes: 5_000 };

  it("hold no more together than the room has, and give all of it back; control: apart each holds as much", async () => {
    for (const together of [new UploadRoom(5_000), undefined]) {
      const [one, other] = [1, 2].map(() => new UploadLimiter(CAPACITY, CAPACITY, 0, together));
      const first = fed();
      const reading = one!.read(first.request, 5_000, length);
      first.push(4_000);
      await vi.waitFor(() => expect(one!.bytes).toBeGreaterThan(3_999));
      const second = fed();
      second.push(4_000);
      second.end();
      const asked = other!.read(second.request, 5_000, length);
      if (together === undefined) expect(await asked).toBe(4_000);
      else await expect(asked).rejects.toMatchObject({ code: "too-many-requests" });
      first.end();
      expect(await reading).toBe(4_000);
      const third = fed();
      third.push(4_000);
      third.end();
      expect(await other!.read(third.request, 5_000, length)).toBe(4_000);
    }
  });

  it("give the room back what one network may not have", async () => {
    const together = new UploadRoom(5_000);
    const narrow = new UploadLimiter(CAPACITY, { bodies: 10, bytes: 1_000 }, 0, together);
    const greedy = fed();
    greedy.push(4_000);
    greedy.end();
    const asked = narrow.read(greedy.request, 5_000, length, "192.0.2.0/24");
    await expect(asked).rejects.toMatchObject({ code: "too-many-requests" });
    const next = fed();
    next.push(5_000);
    next.end();
    expect(await new UploadLimiter(CAPACITY, CAPACITY, 0, together).read(next.request, 5_000, length)).toBe(
      5_000,
    );
  });
});
