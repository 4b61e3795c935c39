import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ROUTES } from "../../protocol/routes.ts";
import {
  corpus,
  directory,
  makeDirectory,
  removeDirectory,
  runFile,
  serve,
} from "../../test/harness/served.ts";
import { logLevel } from "./log.ts";

beforeEach(makeDirectory);
afterEach(removeDirectory);

const get = (origin: string, path: string) => fetch(origin + path);

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

  it("a cluster that cannot be reached, before anything is put into the directory", async () => {
    const [data, key] = [join(directory, "none"), join(directory, "server.key")];
    const refused = await failing("--data", data, "--cluster", "nats://127.0.0.1:9", "--key", key);
    expect(refused).toMatchObject({
      code: 1,
      err: expect.stringMatching(/127\.0\.0\.1:9.* cannot be reached/),
    });
    expect(await readdir(directory)).toEqual([]);
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
