import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

/**
 * Where bytes are decided that another machine must decide alike, only arithmetic is used that IEEE 754 rounds exactly:
 * + - * / and sqrt. What Math.exp, log, pow or sin return differs between engines, and `**` is Math.pow; only a power of
 * two is the same everywhere.
 */
const root = join(import.meta.dirname, "..");
const DECIDE_BYTES = [
  "protocol/codec",
  "protocol/frame.ts",
  "server/merge",
  "model/contract/init.ts",
  "model/lib/random.ts",
];
const INEXACT =
  /Math\.(?!abs|ceil|clz32|floor|fround|imul|max|min|round|sign|sqrt|trunc)[a-z]\w*|(?<!\b2 )\*\*=?/g;

const inexactIn = (source: string): string[] =>
  source.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "").match(INEXACT) ?? [];

function sourcesOf(path: string): string[] {
  if (path.endsWith(".ts")) return [path];
  const names = readdirSync(join(root, path)).filter(
    (name) => name.endsWith(".ts") && !name.includes(".test."),
  );
  return names.map((name) => `${path}/${name}`);
}

it.each(DECIDE_BYTES.flatMap(sourcesOf))("%s decides bytes by exact arithmetic only", (path) => {
  expect(inexactIn(readFileSync(join(root, path), "utf8"))).toEqual([]);
});

it("finds inexact arithmetic, and does not mistake a comment for it", () => {
  expect(
    inexactIn("const a = Math.exp(1) + 3 ** 2 + 2 ** 3; /** a ** b */ // Math.sin\nMath.sqrt(2);"),
  ).toEqual(["Math.exp", "**"]);
});
