import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ROUTES } from "../../protocol/routes.ts";
import {
  corpus,
  directory,
  makeDirectory,
  removeDirectory,
  runFile,
  SETTINGS,
  serve,
} from "../../test/harness/served.ts";
import { CERTIFICATE, PRIVATE_KEY } from "../../test/tls-fixture.ts";

beforeEach(makeDirectory);
afterEach(removeDirectory);

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
