import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { ERROR_STATUS } from "../protocol/errors.ts";
import { DEFAULT_SETTINGS } from "../server/run/settings.ts";

const root = join(import.meta.dirname, "..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");

/** Every folder's README, by its path. */
const readmes = (): string[] =>
  ["bench", "bin", "client", "model", "protocol", "server", "test"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => /(?:^|[/\\])README\.md$/.test(name) && !name.includes("node_modules"))
      .map((name) => `${folder}/${name.replaceAll("\\", "/")}`),
  );

/** The documents, by their paths. */
const documents = (): string[] => [
  "README.md",
  "CONTRIBUTING.md",
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

/** Every source file of the product and its tests, by its path. */
const sources = (): string[] =>
  ["bench", "bin", "client", "model", "protocol", "server", "test"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(?:tsx?|js)$/.test(name))
      .map((name) => `${folder}/${name.replaceAll("\\", "/")}`),
  );

/** {a: {b: 1}} as [["a.b", 1]]; a codec, which has a name, is one value. */
function leaves(value: object, path = ""): [string, unknown][] {
  return Object.entries(value).flatMap(([key, field]): [string, unknown][] =>
    typeof field === "object" && field !== null && !Array.isArray(field) && !("name" in field)
      ? leaves(field, `${path}${key}.`)
      : [[`${path}${key}`, field]],
  );
}

it("docs/RUN_FILE.md names every key with the default that the code has", () => {
  const rows = [...read("docs/RUN_FILE.md").matchAll(/^\| `([\w.]+)` \| `([^`]+)` \|/gm)];
  expect(rows.map(([, key, value]) => [key, JSON.parse(value!)])).toEqual(leaves(DEFAULT_SETTINGS));
});

it("links of the documents and of the folders' READMEs lead somewhere", () => {
  for (const document of [...documents(), ...readmes()]) {
    for (const [, target] of read(document).matchAll(/\]\((?!https?:)([^)#]+)/g)) {
      expect(existsSync(join(root, dirname(document), target!)), `${document}: ${target}`).toBe(true);
    }
  }
});

/** Source files that a text names in code spans, by a whole path or its end. */
const filesNamedIn = (text: string): string[] =>
  [...text.matchAll(/`((?:[\w.-]+\/)*[\w.-]+\.(?:tsx?|mts|css|html|conf))`/g)].map(([, path]) => path!);

it("every source file that a document or README names is there", () => {
  const there = execFileSync("git", ["ls-files"], { cwd: root, encoding: "utf8" }).split("\n");
  const gone = [...documents(), ...readmes()].flatMap((name) =>
    filesNamedIn(read(name))
      .filter((path) => !there.some((file) => file === path || file.endsWith(`/${path}`)))
      .map((path) => `${name}: ${path}`),
  );
  expect(gone).toEqual([]);
});

it("files are found in a text whether their path is whole or not, the control", () => {
  expect(
    filesNamedIn("`server/run/run.ts`, `run.ts` and `a/b.tsx`; no `run()`, `*.test.ts` or run.ts"),
  ).toEqual(["server/run/run.ts", "run.ts", "a/b.tsx"]);
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

/** Rule ids that a document defines: a list item that begins with one, a row of a table, an invariant. */
const definedIn = (document: string): string[] =>
  [
    ...document.matchAll(/^- \*\*([A-Z]{1,2}\d+)\*\* |^\| ([A-Z]{1,2}\d+) \||\*\*([A-Z]{1,2}\d+)\*\*: /gm),
  ].map(([, item, row, bold]) => (item ?? row ?? bold)!);

/**
 * Rule ids that a text quotes: behind "rule" or "rules", in brackets alone, behind the name of a document, and at the
 * beginning of a test's name. `A1 to A3` quotes its ends.
 */
function quotedIn(text: string): string[] {
  const id = "[A-Z]{1,2}\\d+";
  const list = `${id}(?:(?:, | to |, the control, | and |…)${id})*`;
  const forms = [
    `\\b[Rr]ules? (${list})`,
    `\\((${list})\\)`,
    `(?:PROTOCOL|SECURITY)(?:\\.md)?\\)?, (?:rules? )?(${list})`,
    `\\b(?:test|it|describe)(?:\\.\\w+)*\\(\\s*["'\`](${list})(?:, the control)?:`,
  ];
  return forms
    .flatMap((form) => [...text.matchAll(new RegExp(form, "g"))])
    .flatMap(([, found]) => found!.match(new RegExp(id, "g"))!);
}

/** Lines that a merge leaves where two sides changed the same text. */
const unmerged = (text: string): string[] =>
  [...text.matchAll(/^(?:<{7}|>{7}) .*$|^={7}$/gm)].map(([line]) => line);

it("no document, README or source holds both sides of a merge", () => {
  for (const name of [...documents(), ...readmes(), ...sources()])
    expect(unmerged(read(name)), name).toEqual([]);
});

it("both sides of a merge are found, the control", () => {
  const [ours, theirs] = ["<".repeat(7), ">".repeat(7)];
  const lines = [`${ours} HEAD`, "=".repeat(7), `${theirs} 8df6895 (a commit)`];
  expect(
    unmerged(["a text", lines[0], "one", lines[1], "other", lines[2], "# and ========"].join("\n")),
  ).toEqual(lines);
});

it("a rule's id is defined once, over all documents", () => {
  const defined = documents().flatMap((name) => definedIn(read(name)).map((id) => ({ id, name })));
  const twice = defined.filter(({ id }, i) => defined.findIndex((other) => other.id === id) !== i);
  expect(twice).toEqual([]);
  expect(defined.length).toBeGreaterThan(100);
});

it("every rule's id that a document, a comment or a test's name quotes is defined", () => {
  const defined = new Set(documents().flatMap((name) => definedIn(read(name))));
  const others = sources().filter((name) => name !== "test/docs.test.ts"); // has made-up ids, below
  const unknown = [...documents(), ...others].flatMap((name) =>
    quotedIn(read(name))
      .filter((id) => !defined.has(id))
      .map((id) => `${name}: ${id}`),
  );
  expect(unknown).toEqual([]);
});

it("quotes of a rule's id are found in each form that the documents and the code use, the control", () => {
  const text = `as rule X1 says; rules X2 to X3 and (X4, X5); see PROTOCOL.md, X6 to X7.
    it("X8, X9: a test", () => {}); not F32, nor (see X10), nor H100.`;
  expect(quotedIn(text)).toEqual(["X1", "X2", "X3", "X4", "X5", "X6", "X7", "X8", "X9"]);
  expect(definedIn("- **Y1** a rule\n| Y2 | a row |\n**Y3**: an invariant")).toEqual(["Y1", "Y2", "Y3"]);
});

it("docs/PROTOCOL.md lists every error code once, with its HTTP status", () => {
  const rows = [...read("docs/PROTOCOL.md").matchAll(/^\| `([a-z0-9-]+)` \| (\d{3}) \|/gm)];
  const listed = rows.map(([, code, status]) => [code!, Number(status)] as const);
  expect(listed.toSorted()).toEqual(Object.entries(ERROR_STATUS).toSorted());
});
