import { expect, it } from "vitest";
import { wrongSubjects } from "./commits.ts";

it("a commit's subject has its area, says what is done, and fits a line", () => {
  expect(
    wrongSubjects(["fix(run): count tokens a second by the run clock", "docs: name the limits"]),
  ).toEqual([]);
});

it.each([
  "Count tokens",
  "fix count tokens",
  "Fix: count tokens",
  "fix:count tokens",
  "fix: ",
  `fix: ${"x".repeat(68)}`,
])("the control: %j is refused", (subject) => expect(wrongSubjects([subject])).toHaveLength(1));
