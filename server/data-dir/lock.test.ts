import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LockedError } from "./error.ts";
import { lockDirectory } from "./lock.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "murmuration-lock-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe("the lock of a data directory", () => {
  it("is one holder's until it is given back", () => {
    const release = lockDirectory(directory);
    expect(() => lockDirectory(directory)).toThrow(LockedError);
    release();
    release(); // twice is fine
    lockDirectory(directory)();
  });

  it("keeps another process out, and is free at once when its holder is killed", async () => {
    const script = `
      const { lockDirectory } = await import(${JSON.stringify(new URL("./lock.ts", import.meta.url))});
      lockDirectory(${JSON.stringify(directory)});
      console.log("held");
      setInterval(() => {}, 1e6);`;
    const holder = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(holder.stdout, "data");
    expect(() => lockDirectory(directory)).toThrow(LockedError);
    holder.kill("SIGKILL");
    await once(holder, "exit");
    lockDirectory(directory)();
  });

  it("says what the system says where there is no directory", () => {
    expect(() => lockDirectory(join(directory, "none"))).toThrow(/unable to open/);
  });
});
