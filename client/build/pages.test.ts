import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { whyStale } from "./fresh.ts";
import { bringUpToDate } from "./pages.ts";

describe("whether what is built is fresh", () => {
  const built = { inputs: { "a.ts": "1", "b.ts": "2" }, outputs: { "a.js": "3" } };

  it("is decided by the bytes of what it was made from and of what was made", () => {
    expect(whyStale(built, structuredClone(built))).toBeUndefined();
    expect(whyStale(undefined, built)).toBe("they were never built");
    expect(whyStale(built, { ...built, inputs: { ...built.inputs, "b.ts": "9" } })).toBe("b.ts has changed");
    expect(whyStale(built, { ...built, inputs: { ...built.inputs, "c.ts": "1" } })).toBe("c.ts has changed");
    expect(whyStale(built, { ...built, inputs: { "a.ts": "1" } })).toBe("b.ts has changed");
    expect(whyStale(built, { ...built, outputs: {} })).toBe("a.js is not as it was built");
    expect(whyStale(built, { ...built, outputs: { ...built.outputs, "b.js": "4" } })).toMatch(/^b\.js/);
  });
});

describe("the pages of a clone", () => {
  let root: string;
  let built: number;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "murmuration-pages-"));
    built = 0;
    await put("client/a.ts", "1");
    await put("package-lock.json", "{}");
  });
  afterEach(() => rm(root, { recursive: true }));

  async function put(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }

  const bundle = async (folder: string) => {
    built += 1;
    await mkdir(join(folder, "assets"));
    await writeFile(join(folder, "index.html"), await readFile(join(root, "client/a.ts")));
    await writeFile(join(folder, "assets/a.js"), "js");
  };
  const start = () => bringUpToDate(root, bundle, () => {});

  it("are bundled at the first start and not at the next", async () => {
    expect(await start()).toBe("they were never built");
    expect(await start()).toBeUndefined();
    expect(built).toBe(1);
    expect(await readdir(join(root, "dist"))).toEqual(["client", "client.json"]);
  });

  it.each([
    ["code that they are bundled from", "client/a.ts", "2", "client/a.ts has changed"],
    ["new code", "protocol/b.ts", "2", "protocol/b.ts has changed"],
    ["the packages", "package-lock.json", "{ }", "package-lock.json has changed"],
    ["the bundler's settings", "vite.config.ts", "x", "vite.config.ts has changed"],
    ["a page itself", "dist/client/index.html", "broken", "index.html is not as it was built"],
    ["a stamp that is damaged", "dist/client.json", "{", "they were never built"],
  ])("are bundled again after a change of %s", async (_, path, text, why) => {
    await start();
    await put(path, text);
    expect(await start()).toBe(why);
    expect(await start()).toBeUndefined();
  });

  it.each(["client/a.test.ts", "server/a.ts", "model/engine/wasm/assembly/gemm.ts", "docs/a.md"])(
    "are not bundled again after a change of %s, of which they hold nothing",
    async (path) => {
      await start();
      await put(path, "changed");
      expect(await start()).toBeUndefined();
    },
  );

  it("stay as they are where a build fails, and are bundled by the next start", async () => {
    await start();
    await put("client/a.ts", "2");
    const failing = bringUpToDate(
      root,
      async (folder) => {
        await writeFile(join(folder, "index.html"), "half");
        throw new Error("a mistake in the code");
      },
      () => {},
    );
    await expect(failing).rejects.toThrow("a mistake in the code");
    expect(await readFile(join(root, "dist/client/index.html"), "utf8")).toBe("1");
    expect(await readdir(join(root, "dist"))).toEqual(["client", "client.json"]);
    expect(await start()).toBe("client/a.ts has changed");
    expect(await readFile(join(root, "dist/client/index.html"), "utf8")).toBe("2");
  });
});
