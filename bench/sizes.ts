/** What visitors download, in gzipped bytes, against .size-limit.mjs. With `--json` the last line is one JSON object. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { benchFlags } from "./lib/flags.ts";

interface Size {
  readonly name: string;
  readonly size: number;
  readonly sizeLimit: number;
  readonly passed: boolean;
}

const flags = benchFlags({});
const sizeLimit = join(import.meta.dirname, "../node_modules/size-limit/bin.js");
const { stdout, stderr, status } = spawnSync(process.execPath, [sizeLimit, "--json"], { encoding: "utf8" });
if (!stdout.startsWith("[")) throw new Error(`size-limit said nothing: ${stdout}${stderr}`);
const sizes: Size[] = JSON.parse(stdout);
for (const { name, size, sizeLimit: limit, passed } of sizes) {
  console.log(`${passed ? "ok  " : "OVER"} ${name.padEnd(22)} ${size} of ${limit} bytes`);
}
if (flags.json) {
  console.log(JSON.stringify(Object.fromEntries(sizes.map(({ name, size }) => [name, size]))));
}
process.exitCode = status ?? 1;
