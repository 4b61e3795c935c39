import { describe, expect, it } from "vitest";
import { ProtocolError } from "../../protocol/errors.ts";
import { RateLimiter } from "./rate.ts";

function limiter(capacity = 10) {
  let now = 0;
  const rate = new RateLimiter({ burst: 3, perSecond: 2 }, capacity, () => now);
  const wait = (ms: number) => {
    now += ms;
  };
  return { rate, wait };
}

describe("the rate limiter", () => {
  it("lets a burst through, then says how long to wait", () => {
    const { rate, wait } = limiter();
    for (let i = 0; i < 3; i++) rate.take("a");
    let refusal: unknown;
    try {
      rate.take("a");
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(ProtocolError);
    expect(refusal).toMatchObject({ code: "too-many-requests", retryAfterMs: 500 });
    wait(499);
    expect(() => rate.take("a")).toThrow();
    wait(1);
    rate.take("a");
  });

  it("lets who was charged for much wait until that is made good", () => {
    const { rate, wait } = limiter();
    rate.charge("a", 100); // is not known yet
    rate.take("a");
    rate.charge("a", 4);
    expect(() => rate.take("a")).toThrow("more requests");
    wait(1_000); // the two tokens that it owed
    expect(() => rate.take("a")).toThrow();
    wait(500);
    rate.take("a");
    rate.take("b");
  });

  it("keeps senders apart", () => {
    const { rate } = limiter();
    for (let i = 0; i < 3; i++) rate.take("a");
    rate.take("b");
    expect(() => rate.take("a")).toThrow();
  });

  it("never saves up more than a burst", () => {
    const { rate, wait } = limiter();
    rate.take("a");
    wait(3_600_000);
    for (let i = 0; i < 3; i++) rate.take("a");
    expect(() => rate.take("a")).toThrow();
  });

  it("forgets the least recently seen first, and never holds more than its capacity", () => {
    const { rate } = limiter(2);
    for (let i = 0; i < 3; i++) rate.take("a");
    rate.take("b");
    expect(() => rate.take("a")).toThrow(); // seen again: b is now the oldest
    rate.take("c");
    expect(rate.size).toBe(2);
    expect(() => rate.take("a")).toThrow();
    for (let i = 0; i < 10_000; i++) rate.take(`stranger ${i}`);
    expect(rate.size).toBe(2);
  });
});
