import { readFile } from "node:fs/promises";

/** This program's version: from package.json, above server/ in the source, and above dist/node/server/ in the build. */
export async function programVersion(): Promise<string> {
  const up = import.meta.url.endsWith(".ts") ? "../../package.json" : "../../../../package.json";
  const manifest: unknown = JSON.parse(await readFile(new URL(up, import.meta.url), "utf8"));
  const version =
    typeof manifest === "object" && manifest !== null && "version" in manifest && manifest.version;
  if (typeof version !== "string") throw new Error("package.json names no version");
  return version;
}
