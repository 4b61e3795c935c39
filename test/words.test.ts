import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

/** Names that were given up for the field's own (docs/ARCHITECTURE.md) do not come back, as identifiers of the product. */
const root = join(import.meta.dirname, "..");

const RULES: readonly (readonly [name: string, pattern: RegExp, instead: string])[] = [
  ["a bound", /\b(?:MOST|LEAST|LONGEST|SHORTEST|LARGEST|SMALLEST)_[A-Z_]+\b/g, "MAX_ or MIN_"],
  [
    "a class or type",
    /\b(?:class|interface|type) (?:House|Lookout|Office|Crowd|Machine|Founded|Founder|Carry|Parcel|Flight|Patience|News|Glimpse|Crew|Hand|Lifeline|Spare|Shares|BodyRoom|Gathering|LateMerges|Alarm|Story)\b/g,
    "the field's term",
  ],
];

/** What a text breaks, as "name: word". */
const broken = (text: string): string[] =>
  RULES.flatMap(([name, pattern]) => (text.match(pattern) ?? []).map((word) => `${name}: ${word}`));

it("no name that was given up is used again", () => {
  const listed = execFileSync("git", ["ls-files", "bin", "protocol", "model", "client", "server"], {
    cwd: root,
    encoding: "utf8",
  });
  const sources = listed.split("\n").filter((file) => /\.tsx?$/.test(file) && !/\.test\.tsx?$/.test(file));
  expect(sources.length).toBeGreaterThan(300);
  const found = sources.flatMap((file) =>
    broken(readFileSync(join(root, file), "utf8")).map((word) => `${file}: ${word}`),
  );
  expect(found).toEqual([]);
});

it("the control: names that were given up are found, and like ones are not", () => {
  expect(broken("const MOST_BYTES = 1;\nclass House {}\nclass Household {}\nconst MAX_BYTES = 2;")).toEqual([
    "a bound: MOST_BYTES",
    "a class or type: class House",
  ]);
});
