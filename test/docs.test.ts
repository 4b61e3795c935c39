import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { DEFAULT_SETTINGS } from "../server/settings.ts";

const root = join(import.meta.dirname, "..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");

/** {a: {b: 1}} as [["a.b", 1]]. */
function leaves(value: object, path = ""): [string, unknown][] {
  return Object.entries(value).flatMap(([key, field]): [string, unknown][] =>
    typeof field === "object" && field !== null && !Array.isArray(field)
      ? leaves(field, `${path}${key}.`)
      : [[`${path}${key}`, field]],
  );
}

it("docs/RUN_FILE.md names every key with the default that the code has", () => {
  const rows = [...read("docs/RUN_FILE.md").matchAll(/^\| `([\w.]+)` \| `([^`]+)` \|/gm)];
  expect(rows.map(([, key, value]) => [key, JSON.parse(value!)])).toEqual(leaves(DEFAULT_SETTINGS));
});

it("links between the documents lead somewhere", () => {
  const documents = [
    "README.md",
    "CONTRIBUTING.md",
    ...readdirSync(join(root, "docs")).map((name) => `docs/${name}`),
  ];
  for (const document of documents.filter((name) => name.endsWith(".md"))) {
    for (const [, target] of read(document).matchAll(/\]\((?!https?:)([^)#]+)/g)) {
      expect(existsSync(join(root, dirname(document), target!)), `${document}: ${target}`).toBe(true);
    }
  }
});
