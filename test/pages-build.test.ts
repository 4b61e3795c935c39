import { spawnSync } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "..");

/** What `npm start` does before it serves. */
const prestart = () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "bin/prestart.ts")], {
    encoding: "utf8",
  });
  return { status, stdout, stderr };
};

it("npm start bundles the pages of this clone once, and says nothing of the bundler", {
  timeout: 240_000,
}, async () => {
  const first = prestart();
  expect(first.stdout).toBe("");
  expect(first.stderr).toMatch(/^(?:Building the pages, since .+ …\n)?$/);
  expect(first.status).toBe(0);
  const stamp = join(root, "dist/client.json");
  const page = join(root, "dist/client/index.html");
  const before = [await stat(stamp), await stat(page)].map(({ mtimeMs, ino }) => ({ mtimeMs, ino }));
  expect(prestart()).toEqual({ status: 0, stdout: "", stderr: "" });
  const after = [await stat(stamp), await stat(page)].map(({ mtimeMs, ino }) => ({ mtimeMs, ino }));
  expect(after).toEqual(before);
  const { inputs } = JSON.parse(await readFile(stamp, "utf8"));
  for (const path of [
    "client/pages/index.html",
    "model/engine/wasm/kernels.generated.ts",
    "package-lock.json",
  ]) {
    expect(Object.keys(inputs)).toContain(path);
  }
});
