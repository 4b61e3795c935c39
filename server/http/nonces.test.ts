import { describe, expect, it } from "vitest";
import type { TicketId, VolunteerKey } from "../../protocol/ids.ts";
import { Nonces } from "./nonces.ts";

const key = (n: number) => String(n).padStart(43, "k") as VolunteerKey;
const nonce = (n: number) => String(n).padStart(22, "n") as TicketId;

describe("nonces of ticket requests (S3)", () => {
  it("A10: refuses the second use by the same volunteer", () => {
    const nonces = new Nonces(10);
    nonces.use(key(1), nonce(1));
    expect(() => nonces.use(key(1), nonce(1))).toThrow(expect.objectContaining({ code: "nonce-reused" }));
    nonces.use(key(2), nonce(1));
    nonces.use(key(1), nonce(2));
  });

  it("A10: remembers at least half of its capacity, and never more than all of it", () => {
    const nonces = new Nonces(100);
    for (let i = 0; i < 1_000; i++) {
      nonces.use(key(1), nonce(i));
      expect(nonces.size).toBeLessThanOrEqual(100);
    }
    for (let i = 951; i < 1_000; i++) expect(() => nonces.use(key(1), nonce(i))).toThrow();
  });
});
