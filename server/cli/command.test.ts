import { describe, expect, it } from "vitest";
import { DirectoryError } from "../data-dir/error.ts";
import { archiveCommand } from "./archive.ts";
import { backupCommand } from "./backup.ts";
import { clusterCommand } from "./cluster.ts";
import { type Command, readArgs, runCommand } from "./command.ts";
import { exportCommand } from "./export.ts";
import { operatorLinkCommand } from "./operator.ts";
import { questionsCommand } from "./questions.ts";
import { verifyCommand } from "./verify.ts";

async function outcome(run: (io: Parameters<typeof verifyCommand>[1]) => Promise<number>) {
  let [out, err] = ["", ""];
  const code = await run({
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
  });
  return { code, out, err };
}

const archive: typeof verifyCommand = (args, io) =>
  archiveCommand(args, { ...io, signal: new AbortController().signal });

const greet: Command<string> = {
  name: "greet",
  usage: "Usage: murmuration greet NAME\n",
  parse: (args) => readArgs(args, {}).positionals[0] ?? "help",
  run: () => Promise.resolve(),
};

describe("every command of one shot", () => {
  it.each([
    ["archive", archive],
    ["backup", (args, io) => backupCommand("backup", args, io)],
    ["restore", (args, io) => backupCommand("restore", args, io)],
    ["cluster", clusterCommand],
    ["export", exportCommand],
    ["operator-link", operatorLinkCommand],
    ["questions", questionsCommand],
    ["verify", verifyCommand],
  ] satisfies [string, typeof verifyCommand][])(
    "%s prints its usage for --help, and on stderr with code 2 for a wrong flag",
    async (name, command) => {
      const help = await outcome((io) => command(["-h"], io));
      expect(help).toEqual({ code: 0, out: expect.stringContaining(`murmuration ${name}`), err: "" });
      const wrong = await outcome((io) => command(["--no-such-flag"], io));
      const line = `murmuration ${name}: Unknown option '--no-such-flag'`;
      expect(wrong).toEqual({ code: 2, out: "", err: expect.stringContaining(line) });
      expect(wrong.err.endsWith(`\n\n${help.out}`)).toBe(true);
    },
  );
});

describe("cluster", () => {
  it.each([
    [["nowhere"], "say import, status or check"],
    [["import", "nats://a"], "name an address and a directory"],
    [["import", "nats://a", "d", "--key", "k"], "import takes the directory's own server.key"],
    [["status", "nats://a"], "status needs --key FILE"],
    [["check", "nats://a"], "check needs --key FILE"],
    [["status", "nats://a", "d", "--key", "k"], "name an address"],
  ])("%j is no command: %s", async (args, line) => {
    const { code, err } = await outcome((io) => clusterCommand(args, io));
    expect(err).toContain(`murmuration cluster: ${line}\n`);
    expect(code).toBe(2);
  });

  it.each([
    [["nats://a", "--key", "k"], "name an address and a directory"],
    [["nats://a", "d"], "archive needs --key FILE"],
    [["nats://a", "d", "--key", " "], "archive needs --key FILE"],
  ])("%j makes no archive: %s", async (args, line) => {
    const { code, err } = await outcome((io) => archive(args, io));
    expect(err).toContain(`murmuration archive: ${line}\n`);
    expect(code).toBe(2);
  });

  it("a missing key and a directory without a run give one line each", async () => {
    const missing = await outcome((io) =>
      clusterCommand(["status", "nats://127.0.0.1:9", "--key", "/nowhere/server.key"], io),
    );
    expect(missing).toEqual({
      code: 1,
      out: "",
      err: "murmuration cluster: there is no key file /nowhere/server.key\n",
    });
    const { code, err } = await outcome((io) =>
      clusterCommand(["import", "nats://127.0.0.1:9", "/nowhere"], io),
    );
    expect(err).toBe("murmuration cluster: /nowhere holds no run\n");
    expect(code).toBe(2);
  });
});

describe("a command", () => {
  it("explains a failure in one line, and gives its exit code", async () => {
    const run = () => Promise.reject(new DirectoryError("it is not there"));
    expect(await outcome((io) => runCommand({ ...greet, run }, ["you"], io))).toEqual({
      ...{ code: 1, out: "" },
      err: "murmuration greet: it is not there\n",
    });
    const exitCode = () => 3;
    expect((await outcome((io) => runCommand({ ...greet, run, exitCode }, ["you"], io))).code).toBe(3);
  });

  it("does not take a mistake in its own code for a wrong command line", async () => {
    const parse = () => {
      throw new RangeError("a mistake");
    };
    await expect(outcome((io) => runCommand({ ...greet, parse }, [], io))).rejects.toThrow(RangeError);
  });
});
