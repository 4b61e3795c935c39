import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { loadAssets } from "./assets.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "murmuration-assets-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

it("reads a build into a table of URL paths", async () => {
  await mkdir(join(directory, "assets"));
  const files = ["index.html", "status.html", "embed.js", "assets/page-a1.js", "assets/engine-b2.wasm"];
  for (const file of files) await writeFile(join(directory, file), file);
  const assets = await loadAssets(directory);
  expect([...assets.paths].sort()).toEqual(
    ["/", "/assets/engine-b2.wasm", "/assets/page-a1.js", "/embed.js", "/status"].sort(),
  );
  expect(assets.find("/assets/engine-b2.wasm")).toMatchObject({ type: "application/wasm", hashed: true });
  expect(assets.find("/")).toMatchObject({ type: "text/html; charset=utf-8", hashed: false });
});

it("leaves out what hides, what links elsewhere and what it has no type for", async () => {
  await writeFile(join(directory, ".env"), "secret");
  await writeFile(join(directory, "notes.bak"), "secret");
  await symlink("/etc/hostname", join(directory, "link.txt"));
  expect((await loadAssets(directory)).paths).toEqual([]);
});

it("takes a missing build for an empty one", async () => {
  expect((await loadAssets(join(directory, "none"))).paths).toEqual([]);
});
