import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const BENCHES = join(import.meta.dirname, "../bench");
const names = readdirSync(BENCHES)
  .filter((file) => file.endsWith(".ts") && file !== "run.ts")
  .map((file) => file.slice(0, -3));

const bench = (...args: string[]) =>
  spawnSync(process.execPath, [join(BENCHES, "run.ts"), ...args], { encoding: "utf8" });

test.each(names)(
  "bench %s answers an unknown flag with exit code 2 and one line that lists its flags",
  (name) => {
    const { status, stdout, stderr } = bench(name, "--no-such-flag");
    expect({ status, stdout, lines: stderr.trimEnd().split("\n").length }).toEqual({
      status: 2,
      stdout: "",
      lines: 1,
    });
    expect(stderr).toContain("--no-such-flag");
    expect(stderr).toContain("--json");
  },
);

test.each([
  ["attacks", "--attack", "no-such-attack"],
  ["attacks", "--tokens", "many"],
  ["engine", "--only", "no-such-config"],
  ["gpt2", "--versions", "0"],
  ["merge", "--size", "70B"],
  ["learning", "--model", "XXL"],
  ["load", "--rate", "-1"],
])("bench %s answers %s %s with exit code 2 and one line", (...args) => {
  const { status, stderr } = bench(...args);
  expect({ status, lines: stderr.trimEnd().split("\n").length }).toEqual({ status: 2, lines: 1 });
});
