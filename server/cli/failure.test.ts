import { describe, expect, it } from "vitest";
import { CorpusError } from "../corpus/error.ts";
import { accessLine } from "../lib/access.ts";
import { SettingsError } from "../run/settings.ts";
import { lineOf } from "./failure.ts";

/** An error as Node makes it for a failed system call. */
const failed = (code: string, path?: string) =>
  Object.assign(new Error(`${code}: it failed, open '${path}'`), { code, ...(path && { path }) });

describe("the line of a failure", () => {
  it("is the message of our own errors", () => {
    expect(lineOf(new CorpusError("empty", "there is no text"))).toBe("there is no text");
    expect(lineOf(new SettingsError('unknown key "x"'))).toBe('unknown key "x"');
  });

  it("is the whole stack of an error that is a mistake in the program", () => {
    expect(lineOf(new TypeError("x is undefined"))).toMatch(/x is undefined\n\s+at /);
  });

  it("names the file and the cure where the disk is full", () => {
    for (const code of ["ENOSPC", "EDQUOT", "EFBIG"]) {
      expect(lineOf(failed(code, "/data/journal/1"))).toBe(
        `there is no space left to write /data/journal/1 (${code}): free some, and start again`,
      );
    }
  });

  it("names the file where the system refuses it, also for a file that is not there yet", () => {
    expect(lineOf(failed("EROFS", "/data/lock"))).toMatch(/^\/data\/lock lies on a read-only file system/);
    expect(lineOf(failed("EACCES", "/data/lock"))).toMatch(/^\/data\/lock cannot be read and written/);
  });

  it("says how to have more files open", () => {
    expect(lineOf(failed("EMFILE"))).toMatch(/ulimit/);
  });

  it("is the system's own message otherwise", () => {
    expect(lineOf(failed("EIO", "/data/x"))).toBe("EIO: it failed, open '/data/x'");
    expect(lineOf(failed("ERR_FS_EISDIR", "/data/x"))).not.toMatch(/\n/);
  });
});

describe("the line of a path that may not be used", () => {
  it("says whose it is, who asks, and how to give it away", () => {
    const line = accessLine("/data/lock", "EACCES", { path: "/data", uid: 0 }, 1000);
    expect(line).toMatch(/\/data belongs to user 0, and this is user 1000/);
    expect(line).toContain('"chown -R 1000 /data"');
  });

  it("looks at the mode where the owner is right", () => {
    const line = accessLine("/data/lock", "EACCES", { path: "/data", uid: 1000 }, 1000);
    expect(line).toContain('"chmod -R u+rwX /data"');
    expect(line).not.toContain("chown");
  });

  it("needs no users, as on Windows", () => {
    expect(accessLine("C:\\data", "EPERM", undefined, undefined)).toMatch(
      /^C:\\data cannot be read and written/,
    );
  });
});
