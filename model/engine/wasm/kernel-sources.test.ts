import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { areFresh, headerOf } from "./kernel-sources.ts";

/** A folder with sources, from which both modules were compiled. */
async function compiled() {
  const path = await mkdtemp(join(tmpdir(), "murmuration-kernels-"));
  onTestFinished(() => rm(path, { recursive: true }));
  const folder = pathToFileURL(`${path}/`);
  await mkdir(join(path, "assembly"));
  for (const name of ["assembly/index.ts", "build.ts", "microkernel.ts"])
    await writeFile(join(path, name), "1");
  for (const name of ["kernels.generated.ts", "kernels-fma.generated.ts"]) {
    await writeFile(join(path, name), `${await headerOf(folder)}\nexport const KERNELS = "";\n`);
  }
  return { path, folder };
}

test("kernels compiled from the sources as they are are fresh", async () => {
  const { folder } = await compiled();
  expect(await areFresh(folder)).toBe(true);
});

test.each(["assembly/index.ts", "assembly/new.ts", "microkernel.ts", "build.ts"])(
  "kernels are stale once %s has changed",
  async (name) => {
    const { path, folder } = await compiled();
    await writeFile(join(path, name), "2");
    expect(await areFresh(folder)).toBe(false);
  },
);

test("kernels are stale where one of the two modules is missing", async () => {
  const { path, folder } = await compiled();
  await rm(join(path, "kernels-fma.generated.ts"));
  expect(await areFresh(folder)).toBe(false);
});
