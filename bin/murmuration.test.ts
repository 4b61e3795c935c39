import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const program = join(import.meta.dirname, "murmuration.ts");

function murmuration(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: "utf8" });
  return { status, stdout, stderr };
}

describe("the program", () => {
  it("says its version", () => {
    const manifest = JSON.parse(readFileSync(join(import.meta.dirname, "../package.json"), "utf8"));
    expect(murmuration("--version")).toEqual({ status: 0, stdout: `${manifest.version}\n`, stderr: "" });
  });

  it("lists its commands, and each tells its own options", () => {
    const { status, stdout } = murmuration("--help");
    expect(status).toBe(0);
    for (const command of ["serve", "corpus", "volunteer"]) {
      expect(stdout).toContain(`\n  ${command} `);
      const own = murmuration(command, "--help");
      expect(own).toMatchObject({ status: 0, stdout: expect.stringContaining(`murmuration ${command}`) });
    }
  });

  it("refuses what it does not know with 2 and the way to ask", () => {
    for (const args of [
      [],
      ["frobnicate"],
      ["serve", "--frobnicate"],
      ["volunteer"],
      ["corpus", "frobnicate"],
    ]) {
      const { status, stdout, stderr } = murmuration(...args);
      expect({ args, status, stdout }).toEqual({ args, status: 2, stdout: "" });
      expect(stderr).toContain("Usage: murmuration");
    }
  });
});
