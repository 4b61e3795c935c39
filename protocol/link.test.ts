import { beforeAll, describe, expect, it } from "vitest";
import { createIdentity, type Identity } from "./identity.ts";
import type { RunId, ServerNonce, Signature, TicketId } from "./ids.ts";
import { type LinkTerms, openLink, signLink } from "./link.ts";

const NONCE = "n".repeat(21).concat("A") as TicketId;
let [me, mine, server] = [] as unknown as [Identity, Identity, Identity];
let terms: Omit<LinkTerms, "with">;
beforeAll(async () => {
  [me, mine, server] = await Promise.all([createIdentity(), createIdentity(), createIdentity()]);
  const serverNonce = "s".repeat(21).concat("A") as ServerNonce;
  const to = { run: "c".repeat(64) as RunId, server: server.key, origin: "https://a.example", serverNonce };
  terms = { ...to, nonce: NONCE, volunteer: me.key };
});

const body = async () => ({ ...(await signLink(mine, me.key, NONCE, terms)) });

describe("a link's second signature", () => {
  it("A34, U5: is taken from the key that it names, for the very request that carries it", async () => {
    expect(await openLink(await body(), terms)).toBe(mine.key);
    expect(await openLink({ with: null }, terms)).toBeNull();
  });

  it.each([
    ["another run", { run: "d".repeat(64) }],
    ["another server", { server: "A".repeat(43) }],
    ["another address", { origin: "https://a.example/r/whales" }],
    ["an earlier server nonce", { serverNonce: "t".repeat(21).concat("A") }],
    ["an earlier request", { nonce: "o".repeat(21).concat("A") }],
    ["another sender", { volunteer: "B".repeat(42).concat("A") }],
  ])("U5: fits not %s", async (_, change) => {
    await expect(openLink(await body(), { ...terms, ...(change as object) })).rejects.toMatchObject({
      code: "bad-signature",
    });
  });

  it("U5: is nobody else's: whoever names a key without its signature is refused", async () => {
    const stranger = await createIdentity();
    const { signature } = await signLink(stranger, me.key, NONCE, terms);
    for (const forged of [signature, "A".repeat(86), `${"A".repeat(85)}B`] as Signature[]) {
      await expect(openLink({ with: mine.key, signature: forged }, terms)).rejects.toMatchObject({
        code: "bad-signature",
      });
    }
  });

  it.each([
    ["no key", { with: "x" }],
    ["no signature", { signature: 7 }],
    ["nobody", { with: undefined }],
  ])("with %s is malformed", async (_, change) => {
    await expect(openLink({ ...(await body()), ...change }, terms)).rejects.toMatchObject({
      code: "bad-request",
    });
  });

  it("of a key with itself is refused", async () => {
    const { signature } = await signLink(me, me.key, NONCE, terms);
    await expect(openLink({ with: me.key, signature }, terms)).rejects.toMatchObject({ code: "bad-request" });
  });
});
