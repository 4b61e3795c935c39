import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { expect, it } from "vitest";

/** Names that were given up for the field's own (docs/ARCHITECTURE.md) do not come back, as identifiers of the product. */
const root = join(import.meta.dirname, "..");

/** Bounds are MAX_ or MIN_. */
const BOUND = /^(?:MOST|LEAST|LONGEST|SHORTEST|LARGEST|SMALLEST)_/;

/** Words of which no identifier is made, and what is said instead. */
const GIVEN_UP: Readonly<Record<string, string>> = {
  ...{
    house: "app",
    lookout: "operator view",
    office: "operator service",
    desk: "port",
    nursery: "setup store",
  },
  ...{ founding: "setup", founder: "setup", founded: "definition, or created" },
  ...{ carry: "local state", parcel: "packed delta", patience: "retry policy", glimpse: "details" },
  ...{ crew: "worker pool", lifeline: "device-loss guard", sweep: "minor collection", spare: "pool" },
  ...{ gathering: "buffer, or body", struck: "strike", alarm: "detector", rang: "on divergence" },
  ...{ door: "endpoint", doors: "listeners" },
};
/** Waits that are no retry policy. */
const KEPT = /^(?:patience|PATIENCE|PATIENCE_OF_FEW)$/;

/** Turns of phrase that a reader must read twice, and plainer ones. */
const PHRASES: readonly (readonly [phrase: RegExp, instead: string])[] = [
  [/\banew\b/, "again"],
  [/\bheld against\b/, "compared with, checked against"],
  [/\b(?:is|are|was|were|be) told\b/, "the caller gets, the page shows"],
  [/\b(?:lowest|highest|best|newest|all) of late\b/, "recent lowest"],
  [/(?<!looks? )\balike\b/, "similar, the same, both"],
  [/\bbut for\b(?! (?:no longer|as long))/, "except"],
  [/\bfor want of\b/, "for lack of"],
  [/\bby and by\b/, "in time, slowly"],
  [/[/*.] Who (?![^.]*\?)/, "a volunteer that, anybody who"],
];

/** The phrases that a text uses. */
const phrasesIn = (text: string): string[] =>
  PHRASES.filter(([phrase]) => phrase.test(text)).map(([phrase, instead]) => `${phrase}: ${instead}`);

/** A source's comments that use such a phrase. */
const unclear = (source: string): string[] =>
  (source.match(/\/\*[\s\S]*?\*\/|(?<![:"'`])\/\/ [^\n]*/g) ?? []).flatMap(phrasesIn);

/** `openFoundingRun` as open, founding, run. */
const wordsOf = (name: string): string[] =>
  name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .split(/[^a-z]+/);

/** Identifiers of a source that are made of given up words. */
function broken(source: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node) => {
    if ((ts.isIdentifier(node) || ts.isPrivateIdentifier(node)) && !KEPT.test(node.text)) {
      const { text } = node;
      if (BOUND.test(text)) found.push(`${text}: MAX_ or MIN_`);
      for (const word of wordsOf(text)) {
        const instead = Object.hasOwn(GIVEN_UP, word) ? GIVEN_UP[word] : undefined;
        if (instead !== undefined) found.push(`${text}: ${instead}`);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile("source.tsx", source, ts.ScriptTarget.Latest, false, ts.ScriptKind.TSX));
  return found;
}

/** Names that a file of tests gives to them. */
function testNames(source: string): string[] {
  const names: string[] = [];
  const visit = (node: ts.Node) => {
    if (ts.isCallExpression(node) && /^(?:it|test|describe)\b/.test(node.expression.getText())) {
      const [name] = node.arguments;
      if (name !== undefined && ts.isStringLiteralLike(name)) names.push(name.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile("source.tsx", source, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX));
  return names;
}

const listed = execFileSync("git", ["ls-files", "bin", "protocol", "model", "client", "server"], {
  cwd: root,
  encoding: "utf8",
});
const sources = listed
  .split("\n")
  .filter((file) => /\.tsx?$/.test(file) && !/\.test\.tsx?$|\/assembly\//.test(file));
/** What `check` finds in the product's sources, each with its file. */
const foundBy = (check: (source: string) => string[]): string[] => {
  expect(sources.length).toBeGreaterThan(300);
  const found = sources.flatMap((file) =>
    check(readFileSync(join(root, file), "utf8")).map((what) => `${file}: ${what}`),
  );
  return [...new Set(found)];
};

it("no name that was given up is used again", () => {
  expect(foundBy(broken)).toEqual([]);
});

it("comments are in plain English", () => {
  expect(foundBy(unclear)).toEqual([]);
});

/** What `unclear` finds in the files whose names end so, each with its file. */
function foundIn(ending: string, unclear: (text: string) => string[]): string[] {
  const files = execFileSync("git", ["ls-files", `*${ending}`], { cwd: root, encoding: "utf8" });
  return files
    .split("\n")
    .filter((file) => file !== "")
    .flatMap((file) => unclear(readFileSync(join(root, file), "utf8")).map((what) => `${file}: ${what}`));
}

it("documents are in plain English", () => {
  expect(foundIn(".md", phrasesIn)).toEqual([]);
});

it("names of tests are in plain English", () => {
  expect(foundIn(".test.ts", (source) => testNames(source).flatMap(phrasesIn))).toEqual([]);
});

it("unclear phrases are found in comments, and in them alone, the control", () => {
  const comments = `/** A file that is begun\n * anew. */ const text = "begun anew"; // the caller is told`;
  expect(unclear(comments)).toHaveLength(2);
  expect(unclear("// The caller gets the error again.")).toEqual([]);
  expect(
    testNames(`it.skipIf(away)("begins anew", () => read("told anew"))`).flatMap(phrasesIn),
  ).toHaveLength(1);
});

it("names that were given up are found in any spelling, and like ones and texts are not, the control", () => {
  const source = `const MOST_BYTES = 1; class House { #openDesk() { return "the office"; } } // a founder
    class Household {} const MAX_BYTES = 2;`;
  expect(broken(source)).toEqual(["MOST_BYTES: MAX_ or MIN_", "House: app", "#openDesk: port"]);
});
