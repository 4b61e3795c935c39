import { once } from "node:events";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sign, verify } from "../../protocol/identity.ts";
import type { Hash, TicketId } from "../../protocol/ids.ts";
import { PROTOCOL_HEADER, PROTOCOL_VERSION } from "../../protocol/version.ts";
import { parseVolunteerFlags, UsageError } from "./flags.ts";
import { identityFile } from "./identity.ts";
import { lineTeller } from "./lines.ts";
import { volunteerCommand } from "./volunteer.ts";

describe("the command line", () => {
  test("takes the address of a server or of its page, and keeps its path", () => {
    expect(
      parseVolunteerFlags(["https://example.org:8443/train/status?x", "--share", "0.5", "--device", "wasm"]),
    ).toEqual({
      server: "https://example.org:8443/train",
      device: "wasm",
      share: 0.5,
      state: undefined,
    });
    expect(parseVolunteerFlags(["--help"])).toBe("help");
  });

  test.each([
    [[]],
    [["localhost:8080"]],
    [["ftp://example.org"]],
    [["http://a", "http://b"]],
    [["http://a", "--share", "0"]],
    [["http://a", "--share", "1.5"]],
    [["http://a", "--share", ""]],
    [["http://a", "--device", "webgpu"]],
    [["http://a", "--fast"]],
  ])("refuses %j", (args) => {
    expect(() => parseVolunteerFlags(args)).toThrow(UsageError);
  });

  test("says what is wrong and how it is meant, with exit code 2", async () => {
    let out = "";
    let err = "";
    const io = {
      stdout: { write: (text: string) => (out += text) },
      stderr: { write: (text: string) => (err += text) },
      signal: new AbortController().signal,
    };
    expect(await volunteerCommand(["nonsense"], io)).toBe(2);
    expect(err).toContain('"nonsense" is not an address');
    expect(await volunteerCommand(["-h"], io)).toBe(0);
    expect(out).toContain("Usage: murmuration volunteer URL");
  });
});

describe("a server of several runs", () => {
  /** What the command says of an address there, which answers 404 for all but the list. */
  async function saidOf(path: string, runs: unknown): Promise<string> {
    const server = createServer((request, response) => {
      const found = request.url === "/api/runs" && runs !== undefined;
      const error = { code: "not-found", message: "there is nothing here" };
      response.writeHead(found ? 200 : 404, { [PROTOCOL_HEADER]: `${PROTOCOL_VERSION}` });
      response.end(JSON.stringify(found ? { runs } : { error }));
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    const stopping = new AbortController();
    let said = "";
    const output = {
      write: (text: string) => {
        said += text;
        if (said.includes("no work just now")) stopping.abort();
      },
    };
    const origin = `http://127.0.0.1:${port}`;
    await volunteerCommand([origin + path], { stdout: output, stderr: output, signal: stopping.signal });
    await new Promise((resolve) => server.close(resolve));
    return said.replaceAll(origin, "");
  }
  const runs = ["whales", "poems"].map((name) => ({ path: `/r/${name}`, run: "a".repeat(64), help: 1 }));

  test.each([
    ["", " has several runs, so name one: /r/whales, /r/poems"],
    ["/r/none/", "there is no run at /r/none; this server has /r/whales, /r/poems"],
  ])("at %j says which there are; the control waits for work", async (path, line) => {
    expect(await saidOf(path, runs)).toContain(line);
    expect(await saidOf(path, undefined)).toContain("no work just now");
  });
});

describe("the key file", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "murmuration-key-"));
  });
  afterEach(() => rm(directory, { recursive: true }));

  test("is made once, readable by its owner alone, and signs for the same volunteer", async () => {
    const path = join(directory, "identity.json");
    const first = await identityFile(path);
    const second = await identityFile(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(second.key).toBe(first.key);
    const signature = await sign(second.privateKey, "request", { hello: 1 });
    expect(await verify(first.key, "request", { hello: 1 }, signature)).toBe(true);
  });

  test("a file that holds something else is left alone", async () => {
    const path = join(directory, "identity.json");
    await writeFile(path, '{"kty":"RSA"}');
    await expect(identityFile(path)).rejects.toThrow("holds no Ed25519 key");
    expect(await readFile(path, "utf8")).toBe('{"kty":"RSA"}');
  });
});

test("a terminal gets one line a delta, and one for each thing that holds it up", () => {
  const lineOf = lineTeller();
  const step = { type: "step", step: 3, steps: 3, loss: 4.5678, tokensPerSecond: 12_345.6 } as const;
  expect(lineOf(step)).toBeUndefined();
  const ticket = "t".repeat(22) as TicketId;
  const delta = "d".repeat(64) as Hash;
  expect(lineOf({ type: "sent", bytes: 152_000, version: 7, tokens: 24, ticket, delta })).toBe(
    "version 7: loss 4.568, 12,346 tokens/s, sent 152 kB",
  );
  const download = (bytes: number) =>
    lineOf({ type: "phase", phase: { phase: "downloading", what: "weights", bytes, total: 2_000_000 } });
  expect([download(0), download(1), download(2)]).toEqual([
    "downloading the weights, 2,000 kB",
    undefined,
    undefined,
  ]);
  const unknown = { phase: "downloading", what: "text", bytes: 0, total: Number.POSITIVE_INFINITY } as const;
  expect(lineOf({ type: "phase", phase: unknown })).toBe("downloading the text");
  expect(lineOf({ type: "phase", phase: { phase: "away", forMs: 2_400 } })).toBe(
    "the server is away, trying again in 2 s",
  );
  const why = { kind: "too-large", status: 413 } as const;
  expect(lineOf({ type: "phase", phase: { phase: "away", forMs: 2_400, why } })).toMatch(
    /answered 413: .*client_max_body_size.* \(trying again in 2 s\)$/,
  );
  expect(lineOf({ type: "phase", phase: { phase: "training" } })).toBeUndefined();
});
