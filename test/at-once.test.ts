import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

/** What `npm run check` does with its four scripts. */
const PROGRAM = join(import.meta.dirname, "at-once.ts");
/** Each waits for the other's file: one after another they would wait for ever. */
const meet = (mine: string, other: string) =>
  `node -e "fs.writeFileSync('${mine}', ''); while (!fs.existsSync('${other}'));"`;
const scripts = {
  left: meet("left", "right"),
  right: meet("right", "left"),
  fine: "echo well",
  bad: "echo wrong >&2 && exit 3",
};

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "murmuration-at-once-"));
  await writeFile(join(directory, "package.json"), JSON.stringify({ scripts }));
});
afterAll(() => rm(directory, { recursive: true }));

const run = (...names: string[]) =>
  spawnSync(process.execPath, [PROGRAM, ...names], { cwd: directory, encoding: "utf8", timeout: 25_000 });

test("scripts run at the same time, and pass together", () => {
  const { status, stdout } = run("left", "right");
  expect({ status, lines: stdout.trim().split("\n").toSorted() }).toEqual({
    status: 0,
    lines: ["ok: left", "ok: right"],
  });
});

test("one that fails fails them all, after every one's output was shown under its name", () => {
  const { status, stdout } = run("bad", "fine");
  expect(status).toBe(1);
  expect(stdout).toContain("FAILED: bad\nwrong\n");
  expect(stdout).toContain("ok: fine\nwell\n");
});
