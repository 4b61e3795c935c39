import { copyFile, mkdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { defaultTexts } from "./default-texts.ts";

/** Copies the default run's book into the build, so that the published program needs no package for it. */
const folder = join(import.meta.dirname, "../../dist/texts/moby-dick");

await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
for (const file of await defaultTexts()) await copyFile(file, join(folder, basename(file)));
