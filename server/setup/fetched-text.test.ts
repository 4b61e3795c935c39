import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CorpusFailed } from "../corpus/corpus-thread.ts";
import { isPublic } from "../net/public-address.ts";
import { discardFetched, type FetchOptions, fetchText } from "./fetched-text.ts";

/** Servers on this machine, which the fetch takes for the internet where a test says so. */
let directory: string;
const servers: Server[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "murmuration-fetch-"));
});
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  await rm(directory, { recursive: true, force: true });
});

async function serve(listener: RequestListener): Promise<{ origin: string; port: number }> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { origin: `http://text.example:${port}`, port };
}

const ALLOWED: Partial<FetchOptions> = {
  resolve: async () => [{ address: "127.0.0.1", family: 4 }],
  isAllowed: (address) => address === "127.0.0.1",
};
const get = (url: string, options: Partial<FetchOptions> = ALLOWED) =>
  fetchText(url, {
    ...{ directory, maxBytes: 1_000_000, onProgress: () => {} },
    signal: new AbortController().signal,
    ...options,
  });
const failing = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => "nothing failed",
    (error: unknown) => (error instanceof CorpusFailed ? error.code : String(error)),
  );

it("fetches a text by redirects, asks for it unpacked, and keeps its name", async () => {
  const asked: (string | undefined)[] = [];
  const { origin } = await serve((request, response) => {
    asked.push(request.headers["accept-encoding"]?.toString());
    if (request.url === "/a.txt") response.writeHead(302, { location: "/b.txt" }).end();
    else response.end("Call me Ishmael.");
  });
  const { file, name } = await get(`${origin}/a.txt#part`);
  expect(name).toBe("a.txt");
  expect(await readFile(file, "utf8")).toBe("Call me Ishmael.");
  expect(asked).toEqual(["identity", "identity"]);
  await discardFetched(directory);
  expect(await readdir(directory)).toEqual([]);
});

describe("A13: no address but the internet's", () => {
  it.each([
    ...["http://127.0.0.1/a.txt", "http://127.1/a.txt", "http://2130706433/a.txt", "http://0x7f.0.0.1/a.txt"],
    ...[
      "http://0.0.0.0/a.txt",
      "http://10.1.2.3/a.txt",
      "http://172.20.0.1/a.txt",
      "http://192.168.0.1/a.txt",
    ],
    ...["http://169.254.169.254/a.txt", "http://100.64.0.1/a.txt", "http://224.0.0.1/a.txt"],
    ...["http://[::1]/a.txt", "http://[::]/a.txt", "http://[fd00::1]/a.txt", "http://[fe80::1]/a.txt"],
    ...["http://[::ffff:127.0.0.1]/a.txt", "http://[::ffff:a00:1]/a.txt", "http://[64:ff9b::7f00:1]/a.txt"],
    "http://localhost/a.txt",
  ])("is asked for %s", async (url) => {
    expect(await failing(get(url, {}))).toBe("private-address");
  });

  it("is behind a name, though only one of its addresses is private; the control reaches it", async () => {
    const { origin } = await serve((_, response) => response.end("secret"));
    const names = [
      { address: "93.184.215.14", family: 4 },
      { address: "127.0.0.1", family: 4 },
    ];
    expect(await failing(get(`${origin}/a.txt`, { resolve: async () => names }))).toBe("private-address");
    expect(await failing(get(`${origin}/a.txt`, { resolve: async () => [] }))).toBe("private-address");
    expect(await failing(get(`${origin}/a.txt`))).toBe("nothing failed");
  });

  it("is behind a redirect, nor does one lead to another kind of address", async () => {
    let to = "";
    const { origin } = await serve((_, response) => response.writeHead(302, { location: to }).end());
    const kinds: Record<string, string> = {
      "http://10.0.0.1/a.txt": "private-address",
      "http://[::1]/a.txt": "private-address",
      "file:///etc/passwd": "bad-url",
      "http://user:password@text.example/a.txt": "bad-url",
      "/on.txt": "not-fetched",
    };
    for (const [location, code] of Object.entries(kinds)) {
      to = location;
      expect([location, await failing(get(`${origin}/a.txt`))]).toEqual([location, code]);
    }
  });

  it("is found by asking the name a second time: the address that was looked at is the one that is asked", async () => {
    const { origin } = await serve((_, response) => response.end("text"));
    let asked = 0;
    const resolve = async () => [{ address: asked++ === 0 ? "127.0.0.1" : "127.0.0.2", family: 4 }];
    expect(await failing(get(`${origin}/a.txt`, { ...ALLOWED, resolve }))).toBe("nothing failed");
    expect(asked).toBe(1);
  });

  it("counts as public which is not, in whatever spelling", () => {
    const others = ["93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07::1"];
    expect(
      others.filter((one) => !isPublic(one)),
      "the control",
    ).toEqual([]);
    const special = [
      ...["0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "192.0.2.1", "224.0.0.1"],
      ...["168.63.129.16", "255.255.255.255", "0x7f.1", "2130706433", "nonsense", ""],
      ...["::", "::1", "::127.0.0.1", "::a00:1", "::ffff:127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::a00:1"],
      ...[
        "100::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "4000::1",
        "fc00::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
      ],
    ];
    expect(special.filter(isPublic)).toEqual([]);
  });
});

it.each(["a.txt", "ftp://text.example/a.txt", "https://u:p@text.example/a.txt", "", "javascript:1"])(
  "refuses the address %o",
  async (url) => {
    expect(await failing(get(url))).toBe("bad-url");
  },
);

it("refuses a file of a kind that is not read, whatever the address says behind its path", async () => {
  expect(await failing(get("http://text.example/a.exe?a.txt"))).toBe("unknown-type");
});

it("takes no more than it may: neither by what the server says, nor by what it sends", async () => {
  const { origin } = await serve((request, response) => {
    if (request.url === "/said.txt") response.writeHead(200, { "content-length": 1e12 }).flushHeaders();
    else {
      const more = () => {
        while (response.write("x".repeat(16_384)));
        response.once("drain", more);
      };
      more();
    }
  });
  expect(await failing(get(`${origin}/said.txt`))).toBe("too-large");
  expect(await failing(get(`${origin}/sent.txt`))).toBe("too-large");
});

it("goes on where it was cut short, and from the beginning where the file has changed since", async () => {
  const whole = "0123456789".repeat(1_000);
  let tag = '"one"';
  const ranges: (string | undefined)[] = [];
  const { origin } = await serve((request, response) => {
    const { range, "if-range": condition } = request.headers;
    ranges.push(range);
    if (ranges.length === 3) tag = '"two"';
    const from = condition === tag ? Number(/\d+/.exec(range ?? "")?.[0] ?? 0) : 0;
    const head = { etag: tag, "content-length": whole.length - from };
    if (from > 0) response.writeHead(206, { ...head, "content-range": `bytes ${from}-9999/10000` });
    else response.writeHead(200, head);
    if (ranges.length === 4) response.end(whole.slice(from));
    else
      response.write(whole.slice(from, from + 3_000), () =>
        setImmediate(() => response.socket?.destroySoon()),
      );
  });
  const { file } = await get(`${origin}/a.txt`);
  expect(await readFile(file, "utf8")).toBe(whole);
  expect(ranges).toEqual([undefined, "bytes=3000-", "bytes=6000-", "bytes=3000-"]);
});

it("gives a server up that is silent, or answers with an error, or packs what it sends", async () => {
  const { origin } = await serve((request, response) => {
    if (request.url === "/error.txt") response.writeHead(500).end();
    else if (request.url === "/packed.txt") response.writeHead(200, { "content-encoding": "gzip" }).end("x");
  });
  expect(await failing(get(`${origin}/silent.txt`, { ...ALLOWED, idleMs: 30 }))).toBe("not-fetched");
  expect(await failing(get(`${origin}/endless.txt`, { ...ALLOWED, maxMs: 30 }))).toBe("not-fetched");
  expect(await failing(get(`${origin}/error.txt`))).toBe("not-fetched");
  expect(await failing(get(`${origin}/packed.txt`))).toBe("not-fetched");
});
