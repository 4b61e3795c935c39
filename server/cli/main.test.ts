import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ROUTES } from "../../protocol/routes.ts";
import { CERTIFICATE, PRIVATE_KEY } from "../../test/tls-fixture.ts";
import { addCorpus } from "../corpus/add.ts";
import { logLevel, serveCommand } from "./main.ts";

let directory: string;
let stops: (() => Promise<number>)[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "murmuration-serve-"));
  stops = [];
});
afterEach(async () => {
  for (const stop of stops) await stop();
  await rm(directory, { recursive: true, force: true });
});

const SETTINGS = {
  model: { layers: 1, heads: 1, width: 8, context: 16 },
  evaluateWindows: 1,
  name: "A test",
};

/** Runs `serve` in this process; `program` is what it would start volunteers with. */
function serve(args: readonly string[], program: readonly [string, ...string[]] = [process.execPath]) {
  const output = { out: "", err: "" };
  const controller = new AbortController();
  const ended = serveCommand(args, {
    stdout: {
      write: (text) => {
        output.out += text;
      },
    },
    stderr: {
      write: (text) => {
        output.err += text;
      },
    },
    signal: controller.signal,
    program,
  });
  const stop = () => {
    controller.abort();
    return ended;
  };
  stops.push(stop);
  /** The origin it prints, once it listens. */
  const origin = async () => {
    await vi.waitFor(() => expect(output.out).toMatch(/https?:\S+/), 25_000);
    return /(https?:\/\/[^\s/]+)/.exec(output.out)?.[1] ?? "";
  };
  return { output, ended, stop, origin };
}

async function corpus(name = "data"): Promise<string> {
  const text = join(directory, `${name}.txt`);
  const words = Array.from(
    { length: 4_000 },
    (_, i) => ["the", "whale", "sea", "of", "a", "ship"][(i * i + 3 * i) % 6],
  );
  await writeFile(text, words.join(" "));
  const dataDir = join(directory, name);
  await addCorpus({ files: [text], dataDir, vocabulary: 256 });
  return dataDir;
}

async function runFile(settings: object | string = SETTINGS): Promise<string> {
  const file = join(directory, "run.json");
  await writeFile(file, typeof settings === "string" ? settings : JSON.stringify(settings));
  return file;
}

const get = (origin: string, path: string) => fetch(origin + path);

describe("serving", () => {
  it("begins a run from a run file, prints its links, stops cleanly, and goes on with it", async () => {
    const data = await corpus();
    const run = await runFile();
    const first = serve(["--port", "0", "--data", data, "--run", run]);
    const origin = await first.origin();
    expect(first.output.out).toContain("A test: version 0");
    for (const path of ["/\n", "/status\n", "/api/run\n"]) expect(first.output.out).toContain(origin + path);
    const status = await (await get(origin, ROUTES.run)).json();
    expect(status).toMatchObject({ name: "A test", version: 0, state: "running" });
    expect((await get(origin, "/readyz")).status).toBe(200);
    expect(await first.stop()).toBe(0);
    await expect(get(origin, ROUTES.health)).rejects.toThrow();

    for (const args of [[], ["--run", run]]) {
      const again = serve(["--port", "0", "--data", data, ...args]);
      const resumed = await (await get(await again.origin(), ROUTES.run)).json();
      expect(resumed).toMatchObject({ run: status.run, modelHash: status.modelHash });
      expect(await again.stop()).toBe(0);
    }
    const other = await runFile({ ...SETTINGS, seed: 2 });
    const refused = serve(["--port", "0", "--data", data, "--run", other]);
    expect(await refused.ended).toBe(1);
    expect(refused.output.err).toMatch(/other settings: seed/);
  });

  it("measures version 0 on held-out text", async () => {
    const server = serve(["--port", "0", "--data", await corpus(), "--run", await runFile()]);
    const origin = await server.origin();
    const heldOut = async () => (await (await get(origin, ROUTES.run)).json()).heldOut;
    await vi.waitFor(async () => expect(await heldOut()).toHaveLength(1), 25_000);
    expect((await heldOut())[0].loss).toBeGreaterThan(5);
    expect((await heldOut())[0].loss).toBeLessThan(6);
  });

  it("ends event streams when it stops, and does not wait for who listens", async () => {
    const server = serve(["--port", "0", "--data", await corpus(), "--run", await runFile()]);
    const events = await get(await server.origin(), ROUTES.events);
    expect(await server.stop()).toBe(0);
    expect(await events.text()).toMatch(/^data: \{"type":"hello"/);
  });

  it("speaks HTTPS", async () => {
    const [cert, key] = [join(directory, "cert.pem"), join(directory, "key.pem")];
    await writeFile(cert, CERTIFICATE);
    await writeFile(key, PRIVATE_KEY);
    const args = ["--port", "0", "--data", await corpus(), "--run", await runFile()];
    const server = serve([...args, "--tls-cert", cert, "--tls-key", key]);
    const origin = await server.origin();
    expect(origin).toMatch(/^https:/);
    const status = await new Promise((resolve, reject) => {
      const asking = request(`${origin}/healthz`, { rejectUnauthorized: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      asking.on("error", reject).end();
    });
    expect(status).toBe(200);
    await server.stop();

    // Before the directory is touched: it is one that does not exist.
    const fresh = ["--port", "0", "--data", join(directory, "fresh")];
    const mixed = serve([...fresh, "--tls-cert", cert, "--tls-key", cert]);
    expect(await mixed.ended).toBe(1);
    expect(mixed.output.err).toMatch(/certificate .*cert\.pem and the key .*cert\.pem cannot be used/);
    const missing = serve([...fresh, "--tls-cert", cert, "--tls-key", join(directory, "none.pem")]);
    expect(await missing.ended).toBe(1);
    expect(missing.output.err).toMatch(/--tls-key: .*none\.pem/);
    expect(await readdir(directory)).not.toContain("fresh");
  });

  it("starts volunteers against itself, and stops them with itself", async () => {
    const note = join(directory, "args");
    const script = `require("fs").appendFileSync(${JSON.stringify(note)}, process.argv.slice(1) + "\\n"); setInterval(() => {}, 1e6)`;
    const args = ["--port", "0", "--data", await corpus(), "--run", await runFile(), "--volunteers", "2"];
    const server = serve(args, [process.execPath, "-e", script]);
    const origin = await server.origin();
    const line = `volunteer,${origin}\n`;
    await vi.waitFor(async () => expect(await readFile(note, "utf8")).toBe(line + line), 25_000);
    expect(await server.stop()).toBe(0);
  });
});

describe("a run file as editors and shells of Windows write it", () => {
  it.each([
    ["UTF-8 with a byte order mark", Buffer.from(`\ufeff${JSON.stringify(SETTINGS)}`)],
    ["UTF-16 with a byte order mark", Buffer.from(`\ufeff${JSON.stringify(SETTINGS)}`, "utf16le")],
  ])("is taken in %s", async (_, bytes) => {
    const file = join(directory, "run.json");
    await writeFile(file, bytes);
    const server = serve(["--port", "0", "--data", await corpus(), "--run", file]);
    await server.origin();
    expect(server.output.out).toContain("A test: version 0");
  });
});

describe("a directory without a run", () => {
  it("has only the page that says how to make one, where there is a text but no run", async () => {
    const server = serve(["--port", "0", "--data", await corpus()]);
    const origin = await server.origin();
    expect(server.output.out).toMatch(/no run/);
    for (const path of ["/", "/status"]) expect((await get(origin, path)).status).toBe(200);
    expect((await get(origin, ROUTES.run)).status).toBe(503);
    expect((await get(origin, "/readyz")).status).toBe(503);
    expect((await get(origin, ROUTES.health)).status).toBe(200);
    expect(await server.stop()).toBe(0);
  });

  it("is left exactly as it was when its files are somebody else's, even with --run", async () => {
    const foreign = join(directory, "foreign");
    await mkdir(foreign);
    await writeFile(join(foreign, "holiday.txt"), "sun");
    for (const args of [[], ["--run", await runFile()], ["--volunteers", "1"]]) {
      const server = serve(["--port", "0", "--data", foreign, ...args]);
      expect((await get(await server.origin(), ROUTES.run)).status).toBe(503);
      expect(await server.stop()).toBe(0);
      expect(await readdir(foreign)).toEqual(["holiday.txt"]);
    }
  });
});

describe("what cannot be served is said in one line", () => {
  const failing = async (...args: string[]) => {
    const server = serve(["--port", "0", ...args]);
    const code = await server.ended;
    expect(server.output.err).not.toMatch(/\n\s+at /);
    return { code, err: server.output.err };
  };

  it("a port in use, without harm to the directory", async () => {
    const data = await corpus();
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, "127.0.0.1", resolve));
    const address = holder.address();
    const port = typeof address === "object" ? String(address?.port) : "";
    const taken = await failing("--port", port, "--data", data, "--run", await runFile());
    expect(taken).toMatchObject({ code: 1, err: expect.stringMatching(/port is in use/) });
    await new Promise((resolve) => holder.close(resolve));
    const server = serve(["--port", "0", "--data", data]);
    expect((await get(await server.origin(), ROUTES.run)).status).toBe(200);
  });

  it("a directory in use", async () => {
    const data = await corpus();
    await serve(["--port", "0", "--data", data, "--run", await runFile()]).origin();
    expect(await failing("--data", data)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/another server/),
    });
  });

  it("a data directory that is a file, or misses its parts", async () => {
    const file = join(directory, "file");
    await writeFile(file, "");
    expect(await failing("--data", file)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/not a directory/),
    });
    const data = await corpus();
    await writeFile(join(data, "tokenizer.json"), "{}");
    const broken = await failing("--data", data, "--run", await runFile());
    expect(broken).toMatchObject({ code: 1, err: expect.stringMatching(/tokenizer\.json/) });
  });

  it.each([
    ["absent", undefined, /--run .*none\.json: ENOENT/],
    ["not JSON", "{", /not JSON/],
    ["with an unknown key", { naem: "x" }, /unknown key "naem"/],
    ["with a value out of range", { quorum: 0 }, /"quorum"/],
  ])("a run file %s", async (_, content, why) => {
    const file = content === undefined ? join(directory, "none.json") : await runFile(content);
    const refused = await failing("--data", join(directory, "data"), "--run", file);
    expect(refused).toMatchObject({ code: 1, err: expect.stringMatching(why) });
    expect(await readdir(directory)).not.toContain("data");
  });

  it("an address that is not here, or lacks its interface", async () => {
    const data = await corpus();
    for (const host of ["192.0.2.1", "256.1.1.1", "fe80::1"]) {
      const elsewhere = await failing("--data", data, "--host", host);
      expect(elsewhere).toMatchObject({
        code: 1,
        err: expect.stringContaining(`--host ${host} is no address`),
      });
    }
  });

  it.each(["server.key", "people.json", "tuning.json", "lock", "corpus.json", "tokenizer.json"])(
    "a damaged %s, by its name",
    async (name) => {
      const data = await corpus();
      await writeFile(join(data, name), "{damaged, as by a disk that lost its end");
      const broken = await failing("--data", data, "--run", await runFile());
      expect(broken).toMatchObject({ code: 1, err: expect.stringContaining(name) });
    },
  );

  it.each(["journal", "snapshots", "index.sqlite", "server.key"])(
    "a %s that is a file where a folder belongs, or a folder where a file does, by its name",
    async (name) => {
      const data = await corpus();
      const first = serve(["--port", "0", "--data", data, "--run", await runFile()]);
      await first.origin();
      await first.stop();
      const path = join(data, name);
      const folder = (await stat(path)).isDirectory();
      await rm(path, { recursive: true });
      if (folder) await writeFile(path, "");
      else await mkdir(path);
      const broken = await failing("--data", data);
      expect(broken).toMatchObject({ code: 1, err: expect.stringContaining(name) });
    },
  );

  it("a LOG_LEVEL that is none, with those there are; an empty one is the default", () => {
    expect(() => logLevel("verbose")).toThrow(/"verbose".*trace, debug, info, warn, error, fatal, silent/);
    for (const text of [undefined, "", " ", "warn", "WARN"]) expect(logLevel(text)).toBe("warn");
    expect(logLevel("silent")).toBe("silent");
  });

  it.each([
    ["--prot", "1"],
    ["--port", "65536"],
    ["--data", ""],
    ["--host", ""],
  ])("a command line that makes no sense, %s %s: 2", async (...args) => {
    const server = serve(args);
    expect(await server.ended).toBe(2);
    expect(server.output.err).toMatch(/Usage: murmuration serve/);
  });
});
