import { beforeAll, describe, expect, it } from "vitest";
import { createIdentity, type Identity, sign, verify } from "../../../protocol/identity.ts";
import type { RunId } from "../../../protocol/ids.ts";
import { MAX_KEY_FILE, openKey, sealKey } from "./key-file.ts";

const RUN = "9".repeat(64) as RunId;
const PHRASE = "starlings over the reeds";
/** The fewest that a file may name: tests need not be slow. */
const ITERATIONS = 100_000;

const bytes = (text: string) => new TextEncoder().encode(text);
const code = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "nothing thrown",
    (error: { code?: string }) => error.code ?? String(error),
  );

let identity: Identity;
let file: string;
beforeAll(async () => {
  identity = await createIdentity(true);
  file = await sealKey(identity, RUN, PHRASE, ITERATIONS);
});

describe("a key's file", () => {
  it("gives the same key back to whoever knows the passphrase, able to sign and to be saved again", async () => {
    const again = await openKey(bytes(file), RUN, PHRASE);
    expect(again.key).toBe(identity.key);
    const signature = await sign(again.privateKey, "request", { a: 1 });
    expect(await verify(identity.key, "request", { a: 1 }, signature)).toBe(true);
    expect(
      await openKey(bytes(await sealKey(again, RUN, "another", ITERATIONS)), RUN, "another"),
    ).toMatchObject({ key: identity.key });
  });

  it("takes the passphrase in whatever form a keyboard writes it", async () => {
    const sealed = await sealKey(identity, RUN, "Zoe\u0308 ﬁnds", ITERATIONS);
    expect(await openKey(bytes(sealed), RUN, "Zo\u00eb finds")).toMatchObject({ key: identity.key });
  });

  it("says that a passphrase is wrong, and shows nothing of the private key", async () => {
    expect(await code(openKey(bytes(file), RUN, `${PHRASE}.`))).toBe("wrong-passphrase");
    expect(await code(openKey(bytes(file), RUN, ""))).toBe("wrong-passphrase");
    const { d } = await crypto.subtle.exportKey("jwk", identity.privateKey);
    expect(file).not.toContain(d);
    expect(file).toContain(identity.key);
  });

  it("names its parameters, and is another each time", async () => {
    const json = JSON.parse(await sealKey(identity, RUN, PHRASE));
    expect(json).toMatchObject({ kdf: "PBKDF2-SHA-256", iterations: 600_000, cipher: "AES-256-GCM" });
    const first = JSON.parse(file);
    for (const field of ["salt", "iv", "sealed"]) expect(json[field]).not.toBe(first[field]);
  });

  it("fits no other run, and nothing of its head can be changed", async () => {
    const other = "8".repeat(64) as RunId;
    expect(await code(openKey(bytes(file), other, PHRASE))).toBe("other-run");
    const changed = (change: object) => bytes(JSON.stringify({ ...JSON.parse(file), ...change }));
    expect(await code(openKey(changed({}), RUN, PHRASE)), "the control").toBe("nothing thrown");
    expect(await code(openKey(changed({ run: other }), other, PHRASE))).toBe("wrong-passphrase");
    const { key } = await createIdentity();
    expect(await code(openKey(changed({ key }), RUN, PHRASE))).toBe("wrong-passphrase");
    expect(await code(openKey(changed({ iterations: ITERATIONS + 1 }), RUN, PHRASE))).toBe(
      "wrong-passphrase",
    );
  });

  it.each([
    ["nothing", ""],
    ["no JSON", "{"],
    ["another format", { format: "murmuration-key-2" }],
    ["another derivation", { kdf: "scrypt" }],
    ["another cipher", { cipher: "none" }],
    ["too few rounds", { iterations: 1 }],
    ["more rounds than a page should do on a stranger's word", { iterations: 1e9 }],
    ["a short salt", { salt: "AAAA" }],
    ["no salt", { salt: undefined }],
    ["a long IV", { iv: "A".repeat(86) }],
    ["a key that is none", { key: "../../etc/passwd" }],
    ["no run", { run: 7 }],
    ["no sealed key", { sealed: null }],
    ["more than a file has", { more: "x".repeat(MAX_KEY_FILE) }],
  ])("with %s is refused", async (_, change) => {
    const text = typeof change === "string" ? change : JSON.stringify({ ...JSON.parse(file), ...change });
    expect(await code(openKey(bytes(text), RUN, PHRASE))).toBe("bad-key-file");
  });

  it("cannot be made of a key that no script can read, as earlier releases made them", async () => {
    expect(await code(sealKey(await createIdentity(), RUN, PHRASE, ITERATIONS))).toBe("not-exportable");
  });
});
