import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { credsAuthenticator } from "@nats-io/transport-node";
import { expect, test } from "vitest";
import { type LoginEnvironment, loginOf, refusedLine, serversIn } from "./cluster-login.ts";

const of = (environment: LoginEnvironment) => loginOf(environment, credsAuthenticator);

test("a login comes from the environment, and nobody logs in where it says nothing", () => {
  expect(of({})).toEqual({});
  expect(of({ NATS_USER: "", NATS_PASSWORD: "" })).toEqual({});
  expect(of({ NATS_USER: "ann", NATS_PASSWORD: "secret" })).toEqual({ user: "ann", pass: "secret" });
  expect(of({ NATS_TOKEN: "t" })).toEqual({ token: "t" });
});

test("half a login, two of them, and a file that is not there are refused, without the secret", () => {
  for (const half of [{ NATS_USER: "ann" }, { NATS_PASSWORD: "secret" }])
    expect(() => of(half)).toThrow("NATS_USER and NATS_PASSWORD come together");
  expect(() => of({ NATS_TOKEN: "secret", NATS_USER: "ann", NATS_PASSWORD: "p" })).toThrow(
    /^the environment must have one of(?!.*secret)/,
  );
  expect(() => of({ NATS_CREDS: "/nowhere/a.creds" })).toThrow(/^NATS_CREDS cannot be read: ENOENT/);
});

test("a file of credentials signs with the key in it", async () => {
  const directory = await mkdtemp(join(tmpdir(), "murmuration-creds-"));
  try {
    const file = join(directory, "a.creds");
    // NATS's own example: a user's token, and the seed of its key.
    const seed = "SUAIBDPBAUTWCWBKIO6XHQNINK5FWJW4OHLXC3HQ2KFE4PEJUA44CNHTC4";
    await writeFile(
      file,
      `-----BEGIN NATS USER JWT-----\neyJ0eXAiOiJqd3QifQ\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`,
    );
    const { authenticator } = of({ NATS_CREDS: file });
    expect(authenticator?.("nonce")).toMatchObject({ jwt: "eyJ0eXAiOiJqd3QifQ", sig: expect.any(String) });
  } finally {
    await rm(directory, { recursive: true });
  }
});

test("an address names servers, and no password, scheme or path else", () => {
  expect(serversIn("nats://a,b:4223,[::1]:4222")).toEqual(["a", "b:4223", "[::1]:4222"]);
  for (const wrong of ["a,b", "tls://a", "nats://", "nats://a/b", "http://a"])
    expect(() => serversIn(wrong)).toThrow("such as nats://a,b,c");
  expect(() => serversIn("nats://ann:secret@a")).toThrow(/no password in it(?!.*secret)/);
});

test("a refused login says which names to set; any other failure keeps its own words", () => {
  expect(refusedLine(new Error("Authorization Violation"))).toMatch(/does not take this login .*NATS_USER/);
  expect(refusedLine(new Error("connection refused"))).toBe("connection refused");
});
