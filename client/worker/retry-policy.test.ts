import { describe, expect, it } from "vitest";
import { type ErrorCode, isRetryable, ProtocolError } from "../../protocol/errors.ts";
import { ServerAway, WrongBytes } from "../transport/away.ts";
import { RetryPolicy } from "./retry-policy.ts";

const policy = () => new RetryPolicy(() => 0.5);

describe("the retry policy", () => {
  it("waits for a server that is away and names who answered in its place", () => {
    const why = { kind: "gateway", status: 502 } as const;
    expect(policy().after(new ServerAway("down", why), "same").why).toEqual(why);
    expect(policy().after(new WrongBytes("cut"), "same").ms).toBeGreaterThan(0);
  });

  it("waits at least as long as a refusal says", () => {
    expect(policy().after(new ProtocolError("run-paused", "", 60_000), "same").ms).toBeGreaterThanOrEqual(
      60_000,
    );
  });

  it("gives up at once on a refusal that waiting does not cure", () => {
    for (const code of ["bad-signature", "stale", "run-finished", "protocol-mismatch"] as const) {
      const refusal = new ProtocolError(code, "");
      expect(() => policy().after(refusal, "same")).toThrow(refusal);
      expect(() => policy().after(refusal, "fresh")).toThrow(refusal);
    }
    const mistake = new TypeError("a mistake in the code");
    expect(() => policy().after(mistake, "fresh")).toThrow(mistake);
  });

  it("repeats a request where a fresh one may succeed, but never the same upload", () => {
    const codes: ErrorCode[] = ["no-work", "nonce-reused", "not-found", "quarantined"];
    for (const code of codes) {
      const refusal = new ProtocolError(code, "");
      expect(policy().after(refusal, "fresh").ms).toBeGreaterThan(0);
      expect(() => policy().after(refusal, "same")).toThrow(refusal);
    }
  });

  it("waits longer after each failure until something succeeds", () => {
    const retry = policy();
    const first = retry.next();
    expect(retry.next()).toBeGreaterThan(first);
    retry.reset();
    expect(retry.next()).toBe(first);
  });
});

it("what the same bytes may pass, a fresh request may pass too", () => {
  const both: ErrorCode[] = ["too-many-requests", "internal-error", "not-durable", "no-space", "no-run"];
  for (const code of both)
    expect([isRetryable(code, "same"), isRetryable(code, "fresh")]).toEqual([true, true]);
});
