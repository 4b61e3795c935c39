import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Script } from "node:vm";
import { describe, expect, it } from "vitest";

const program = join(import.meta.dirname, "../bin/murmuration.ts");

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

describe("the program on an older Node", () => {
  /** Runs the program in a Node that says it is of this version. */
  const onNode = (version: string) => {
    const disguise = `data:text/javascript,Object.defineProperty(process, "versions", { value: { node: "${version}" } })`;
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ["--import", disguise, program, "serve", "--help"],
      { encoding: "utf8" },
    );
    return { status, stdout, stderr };
  };

  it("says in one line which Node it needs; control: on that one it runs", () => {
    for (const version of ["18.20.4", "20.11.0", "23.1.0"]) {
      const { status, stdout, stderr } = onNode(version);
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      expect(stderr).toMatch(
        new RegExp(`^murmuration: this is Node ${version}, and Murmuration needs Node 24 or newer[^\n]*\n$`),
      );
    }
    expect(onNode("24.0.0")).toMatchObject({ status: 0, stdout: expect.stringContaining("Usage") });
  });

  it("starts from a script that any Node can parse, without modules and types", () => {
    const source = readFileSync(program, "utf8");
    expect(() => new Script(source.replace(/^#!.*/, ""))).not.toThrow();
    expect(() => new Script(`${source}\nconst typed: number = 1;`)).toThrow(SyntaxError); // control
    const { engines } = JSON.parse(readFileSync(join(import.meta.dirname, "../package.json"), "utf8"));
    expect(source).toContain(`MIN_NODE = ${engines.node.replace(">=", "")};`);
  });
});

it("keeps what it compiled for the next start, in a folder of this clone; control: where Node is set not to", () => {
  const tell = `data:text/javascript,process.on("exit", () =>
    console.log(process.getBuiltinModule("module").getCompileCacheDir()))`;
  const kept = (env: NodeJS.ProcessEnv) =>
    spawnSync(process.execPath, ["--import", tell, program, "--version"], { encoding: "utf8", env }).stdout;
  const { NODE_COMPILE_CACHE: _, ...env } = process.env;
  expect(kept(env)).toContain(join(import.meta.dirname, "../node_modules/.cache/node"));
  expect(kept({ ...env, NODE_DISABLE_COMPILE_CACHE: "1" })).toContain("undefined");
});

describe("a data directory of another user", () => {
  /** Nobody's number on Linux and macOS alike, in 16 bits. */
  const NOBODY = 65_534;

  it("is named with its owner and the cure by every command that writes, without a stack", async () => {
    const data = await mkdtemp(join(tmpdir(), "murmuration-foreign-"));
    try {
      const text = join(data, "text.txt");
      await writeFile(text, "the whale ".repeat(2_000));
      await chmod(data, 0o555);
      // Root may write anywhere, so it becomes somebody else; who is not root has taken its own right away.
      const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
      for (const args of [
        ["serve", "--port", "0", "--data", join(data, "new")],
        ["corpus", "add", text, "--data", join(data, "new")],
        ["corpus", "add", text, "--data", data],
      ]) {
        const { status, stderr } = spawnSync(process.execPath, [program, ...args], {
          ...user,
          encoding: "utf8",
        });
        expect({ args, status }).toEqual({ args, status: 1 });
        expect(stderr).toContain(data);
        expect(stderr).toMatch(/cannot be read and written \(EACCES\).*(?:chown|chmod)/);
        expect(stderr).not.toMatch(/\n\s+at /);
      }
    } finally {
      await chmod(data, 0o755);
      await rm(data, { recursive: true });
    }
  });
});
