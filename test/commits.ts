import { execFileSync } from "node:child_process";

/** `npm run commits -- RANGE`: the subjects of these commits that are not as CONTRIBUTING.md asks; `origin/main..HEAD` by default. */

/** Characters of a subject. */
const MAX_SUBJECT = 72;
/** Conventional Commits: an area, perhaps with a part of it, a colon, and what is done. */
const SUBJECT = /^[a-z0-9-]+(?:\([a-z0-9-]+\))?: \S/;

export const wrongSubjects = (subjects: readonly string[]): string[] =>
  subjects.flatMap((subject) => [
    ...(subject.length > MAX_SUBJECT ? [`longer than ${MAX_SUBJECT} characters: ${subject}`] : []),
    ...(SUBJECT.test(subject) ? [] : [`not "area: imperative subject": ${subject}`]),
  ]);

if (import.meta.main) {
  const [range = "origin/main..HEAD"] = process.argv.slice(2);
  const log = execFileSync("git", ["log", "--no-merges", "--format=%s", range], { encoding: "utf8" });
  const wrong = wrongSubjects(log.split("\n").filter((line) => line !== ""));
  for (const line of wrong) process.stderr.write(`${line}\n`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
}
