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

it("every threat of docs/SECURITY.md is quoted by a test's name, in a file it names, and every quoted one is there", () => {
  const rows = [...read("docs/SECURITY.md").matchAll(/^\| (A\d+) \|.*\| ([^|]*) \|$/gm)];
  const threats = new Map(
    rows.map(([, number, shown]) => [
      number!,
      [...shown!.matchAll(/`([\w./-]+\.test\.ts)`/g)].map(([, file]) => file!),
    ]),
  );
  expect(threats.size).toBe(rows.length);
  const quoted = new Map<string, Set<string>>();
  for (const room of ["client", "model", "protocol", "server", "test"]) {
    for (const name of readdirSync(join(root, room), { recursive: true, encoding: "utf8" })) {
      if (!name.endsWith(".test.ts")) continue;
      const file = `${room}/${name.replaceAll("\\", "/")}`;
      const titles = read(file).matchAll(/\b(?:describe|test|it)\b[^"`;]*["`](?=[^"`]*\bA\d)([^"`]*)["`]/g);
      for (const [, title] of titles) {
        for (const [number] of title!.matchAll(/\bA\d+\b/g)) {
          quoted.set(number, (quoted.get(number) ?? new Set()).add(file));
        }
      }
    }
  }
  expect([...quoted.keys()].sort()).toEqual([...threats.keys()].sort());
  for (const [number, files] of threats) {
    expect(files.length, number).toBeGreaterThan(0);
    for (const file of files) expect(quoted.get(number), `${number} in ${file}`).toContain(file);
  }
});
