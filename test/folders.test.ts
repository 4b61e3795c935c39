import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";

/** What a newcomer finds in each folder (docs/ARCHITECTURE.md): a README that says where to begin, and short files. */
const root = join(import.meta.dirname, "..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");
const tracked = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8",
});
const files = tracked
  .split("\n")
  .filter((file) => /^(?:bench|bin|client|model|protocol|server|test)\//.test(file));

/** Lines of the longest file that can be read in one sitting. */
const MAX_LINES = 300;

/** Folders that a README stands in: those of the two upper levels. */
const headed = (file: string): string => dirname(file).split("/").slice(0, 2).join("/");
/** Below these the upper one's README is enough, or what lies there is no code. */
const covered = /^(?:bench|test)\//;

/** Files of the product above the limit, but for tables and strings. */
const tooLong = (lines: ReadonlyMap<string, number>): string[] =>
  [...lines]
    .filter(([file, count]) => count > MAX_LINES && !/\/strings(\/[\w-]+)?\.ts$/.test(file))
    .map(([file]) => file);

it("every folder has a README that names its purpose and a file to begin with", () => {
  const folders = new Set(files.filter((file) => /\.tsx?$/.test(file)).map(headed));
  for (const folder of folders) {
    if (covered.test(folder)) continue;
    const text = read(`${folder}/README.md`);
    expect(text, folder).toMatch(new RegExp(`^# ${folder}/\n`));
    expect(text, folder).toMatch(/\]\([\w./-]+\.(?:m?ts|tsx|html)\)/);
  }
  expect(folders.size).toBeGreaterThan(40);
});

it("no file of the product is longer than one can read in one sitting", () => {
  const product = files.filter(
    (file) => /^(?:bin|client|model|protocol|server)\/.*\.tsx?$/.test(file) && !/\.test\.tsx?$/.test(file),
  );
  expect(product.length).toBeGreaterThan(300);
  expect(tooLong(new Map(product.map((file) => [file, read(file).split("\n").length - 1])))).toEqual([]);
});

it("the control: a file above the limit is found, and a catalogue of strings is not", () => {
  const lines = new Map([
    ["server/a.ts", MAX_LINES + 1],
    ["server/b.ts", MAX_LINES],
    ["client/ui/strings/en.ts", 1_000],
  ]);
  expect(tooLong(lines)).toEqual(["server/a.ts"]);
});
