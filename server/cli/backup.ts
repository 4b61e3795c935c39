import { parseArgs } from "node:util";
import { copyRun } from "../data-dir/copy.ts";
import { DirectoryError } from "../data-dir/error.ts";
import type { Writer } from "../lib/io.ts";
import type { Verified } from "../verify/verify.ts";
import { lineOf } from "./failure.ts";
import { verifyDirectory } from "./verify.ts";

const USAGE = {
  backup: `Usage: murmuration backup DIR TARGET [--link]

Copies a run's data directory, also while it is served, and verifies the copy before it gets its name. TARGET must
not exist, or be empty. It holds the server's private key: keep it as you keep the data directory.

  --link   give files that never change a second name instead of a copy, where TARGET is on the same disk:
           fast and small, a safeguard against mistakes but not against the disk
`,
  restore: `Usage: murmuration restore BACKUP DIR

Makes a data directory of a backup, verified before it gets its name. DIR must not exist, or be empty. What the
run did after the backup is lost: receipts given since then are for deltas that this run never had.
`,
} as const;

export interface BackupIo {
  readonly stdout: Writer;
  readonly stderr: Writer;
}

/**
 * `murmuration backup …` and `murmuration restore …`. Resolves to the exit code: 0, 1 where it failed and left
 * nothing, 2 for a wrong command.
 */
export async function backupCommand(
  name: keyof typeof USAGE,
  args: readonly string[],
  io: BackupIo,
): Promise<number> {
  let from: string | undefined;
  let to: string | undefined;
  let link: boolean;
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: "boolean", short: "h" },
        ...(name === "backup" && { link: { type: "boolean" } }),
      } as const,
    });
    if (values.help) {
      io.stdout.write(USAGE[name]);
      return 0;
    }
    [from, to] = positionals;
    link = "link" in values && values.link === true;
    if (from === undefined || to === undefined || positionals.length > 2) {
      throw new TypeError("name two directories: from and to");
    }
  } catch (error) {
    io.stderr.write(`murmuration ${name}: ${messageOf(error)}\n\n${USAGE[name]}`);
    return 2;
  }
  try {
    let verified: Verified | undefined;
    await copyRun(from, to, link ? "link" : "copy", async (copy) => {
      verified = await verifyDirectory(copy);
    });
    io.stdout.write(`${to}: version ${verified?.version}, model ${verified?.model}, verified\n`);
    return 0;
  } catch (error) {
    io.stderr.write(`murmuration ${name}: ${lineOf(error)}\n`);
    return error instanceof DirectoryError ? 2 : 1;
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
