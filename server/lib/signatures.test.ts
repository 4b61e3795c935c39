import type { JsonWebKey } from "node:crypto";
import { expect, test } from "vitest";
import { fromBase64Url, toBase64Url } from "../../protocol/bytes.ts";
import { canonicalBytes } from "../../protocol/canonical.ts";
import { createIdentity, sha256, sign, verify, WEB_CHECKS } from "../../protocol/identity.ts";
import type { Signature, VolunteerKey } from "../../protocol/ids.ts";
import { nodeChecks, nodeSigner } from "./signatures.ts";

const VALUE = { run: "r", tokens: 3 };

test("hashes and signatures are those of WebCrypto, to the byte", async () => {
  const bytes = crypto.getRandomValues(new Uint8Array(5_000));
  expect(nodeChecks.sha256(bytes.subarray(7))).toBe(await sha256(bytes.subarray(7)));
  const identity = await createIdentity(true);
  const signer = nodeSigner((await crypto.subtle.exportKey("jwk", identity.privateKey)) as JsonWebKey);
  const signature = await sign(signer, "ticket", VALUE);
  expect(signature).toBe(await sign(identity.privateKey, "ticket", VALUE));
  for (const checks of [nodeChecks, WEB_CHECKS]) {
    expect(await verify(identity.key, "ticket", VALUE, signature, checks)).toBe(true);
  }
});

test("what does not fit is refused, and never throws: another purpose, value, key, a bent signature, a key that is none", async () => {
  const [identity, other] = [await createIdentity(), await createIdentity()];
  const signature = await sign(identity.privateKey, "ticket", VALUE);
  const bent = fromBase64Url(signature);
  bent[40]! ^= 1;
  const wrong = [
    [identity.key, "receipt", VALUE, signature],
    [identity.key, "ticket", { ...VALUE, tokens: 4 }, signature],
    [other.key, "ticket", VALUE, signature],
    [identity.key, "ticket", VALUE, toBase64Url(bent) as Signature],
    ["A".repeat(42) as VolunteerKey, "ticket", VALUE, signature],
    [toBase64Url(new Uint8Array(32).fill(0xff)) as VolunteerKey, "ticket", VALUE, signature],
    [identity.key, "ticket", VALUE, "" as Signature],
  ] as const;
  for (const [key, purpose, value, one] of wrong) {
    expect(await verify(key, purpose, value, one, nodeChecks)).toBe(false);
    expect(await verify(key, purpose, value, one, WEB_CHECKS)).toBe(false);
  }
  expect(await verify(identity.key, "ticket", VALUE, signature, nodeChecks)).toBe(true);
});

test("more keys than are kept ready are verified all the same", async () => {
  const identities = await Promise.all(Array.from({ length: 5 }, () => createIdentity()));
  for (let round = 0; round < 2; round++) {
    for (const { key, privateKey } of identities) {
      const signature = await sign(privateKey, "request", round);
      expect(nodeChecks.verify(key, canonicalBytes("request", round), signature)).toBe(true);
    }
  }
});
