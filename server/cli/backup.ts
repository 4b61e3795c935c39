import { copyRun } from "../data-dir/copy.ts";
import { DirectoryError } from "../data-dir/error.ts";
import type { Verified } from "../verify/verify.ts";
import { type CommandIo, readArgs, runCommand, UsageError } from "./command.ts";
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

/**
 * `murmuration backup …` and `murmuration restore …`. Resolves to the exit code: 0, 1 where it failed and left
 * nothing, 2 for a wrong command.
 */
export const backupCommand = (
  name: keyof typeof USAGE,
  args: readonly string[],
  io: CommandIo,
): Promise<number> =>
  runCommand(
    {
      name,
      usage: USAGE[name],
      parse(given) {
        const flags = name === "backup" ? ({ link: { type: "boolean" } } as const) : {};
        const { values, positionals } = readArgs(given, flags);
        if (values.help) return "help";
        const [from, to, ...more] = positionals;
        if (from === undefined || to === undefined || more.length > 0) {
          throw new UsageError("name two directories: from and to");
        }
        return { from, to, link: "link" in values && values.link === true };
      },
      async run({ from, to, link }) {
        let verified: Verified | undefined;
        await copyRun(from, to, link ? "link" : "copy", async (copy) => {
          verified = await verifyDirectory(copy);
        });
        io.stdout.write(`${to}: version ${verified?.version}, model ${verified?.model}, verified\n`);
      },
      exitCode: (error) => (error instanceof DirectoryError ? 2 : 1),
    },
    args,
    io,
  );
