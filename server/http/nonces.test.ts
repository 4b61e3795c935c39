import { describe, expect, it } from "vitest";
import type { ServerNonce, TicketId, VolunteerKey } from "../../protocol/ids.ts";
import { Nonces } from "./nonces.ts";

const key = (n: number) => String(n).padStart(43, "k") as VolunteerKey;
const nonce = (n: number) => String(n).padStart(22, "n") as TicketId;
const PERIOD_MS = 600_000;

/** A process' nonces; each draws its own. */
function start(capacity: number) {
  const clock = { now: 0 };
  const nonces = new Nonces(
    capacity,
    () => clock.now,
    () => String(Math.random()).padStart(22, "s") as ServerNonce,
  );
  return { nonces, clock };
}
const reused = expect.objectContaining({ code: "nonce-reused" });
const expired = expect.objectContaining({ code: "server-nonce-expired" });

describe("nonces of signed requests (S3)", () => {
  it("A10: refuse the second use by the same volunteer", () => {
    const { nonces } = start(10);
    const { serverNonce } = nonces;
    nonces.use(key(1), nonce(1), serverNonce);
    expect(() => nonces.use(key(1), nonce(1), serverNonce)).toThrow(reused);
    nonces.use(key(2), nonce(1), serverNonce);
    nonces.use(key(1), nonce(2), serverNonce);
  });

  it("are used once as long as their request is good, and then it is good no more", () => {
    const { nonces, clock } = start(10);
    const first = nonces.serverNonce;
    nonces.use(key(1), nonce(1), first);
    clock.now = PERIOD_MS;
    expect(nonces.serverNonce).not.toBe(first);
    nonces.use(key(1), nonce(2), first); // signed just before the turn
    expect(() => nonces.use(key(1), nonce(1), first)).toThrow(reused);
    clock.now = 2 * PERIOD_MS;
    expect(() => nonces.use(key(1), nonce(1), first)).toThrow(expired);
    expect(() => nonces.use(key(1), nonce(3), first)).toThrow(expired);
  });

  it("take nothing that was signed two periods ago, though nobody asked meanwhile", () => {
    const { nonces, clock } = start(10);
    const { serverNonce } = nonces;
    clock.now = 5 * PERIOD_MS;
    expect(() => nonces.requireFresh(serverNonce)).toThrow(expired);
  });

  it("take nothing that was signed before a restart", () => {
    const before = start(10).nonces;
    const after = start(10).nonces;
    before.use(key(1), nonce(1), before.serverNonce);
    expect(() => after.use(key(1), nonce(1), before.serverNonce)).toThrow(expired);
    after.use(key(1), nonce(1), after.serverNonce); // the control: it knows nothing of what was used
  });

  it("A10: are never forgotten for lack of room while their request is good, and never more than fit", () => {
    const { nonces } = start(100);
    const sent: [TicketId, ServerNonce][] = [];
    for (let i = 0; i < 1_000; i++) {
      const { serverNonce } = nonces;
      nonces.use(key(1), nonce(i), serverNonce);
      sent.push([nonce(i), serverNonce]);
      expect(nonces.size).toBeLessThanOrEqual(100);
    }
    for (const [one, serverNonce] of sent) expect(() => nonces.use(key(1), one, serverNonce)).toThrow();
  });

  it("A10: nor where all come late, for the nonce before", () => {
    const { nonces, clock } = start(100);
    const { serverNonce } = nonces;
    clock.now = PERIOD_MS;
    for (let i = 0; i < 50; i++) nonces.use(key(1), nonce(i), serverNonce);
    expect(() => nonces.use(key(1), nonce(0), serverNonce)).toThrow(expired);
    expect(nonces.size).toBe(0);
  });
});
