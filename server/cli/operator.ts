import { kindOf } from "../data-dir/directory.ts";
import { DirectoryError } from "../data-dir/error.ts";
import { holdsRuns } from "../data-dir/runs.ts";
import { issueLink, LINK_MS, linkOf, notedAddress } from "../operator/link.ts";
import { type CommandIo, readArgs, runCommand, UsageError } from "./command.ts";

const LINK_USAGE = `Usage: murmuration operator-link [DIR] [--name NAME] [--origin URL]

Prints a new one-time link that signs an operator in to the server of a data directory (./data), to all its runs where
it has several; to one of them for DIR/runs/NAME. It works once,
within ${LINK_MS / 60_000} minutes, and voids a link that was printed before and not used.

  --name NAME     who it is for: the audit log says so (operator)
  --origin URL    the address to put into it, e.g. https://train.example (where the server listens)
`;

/** `murmuration operator-link …`. Resolves to the exit code: 0, 1 where it failed, 2 for a wrong command. */
export const operatorLinkCommand = (args: readonly string[], io: CommandIo): Promise<number> =>
  runCommand(
    {
      name: "operator-link",
      usage: LINK_USAGE,
      parse,
      async run({ directory, name, origin: given }) {
        const kind = (await holdsRuns(directory)) ? "ours" : await kindOf(directory);
        const noted = await notedAddress(directory);
        // A directory that waits for its run from the page has nothing yet but the address it is served at.
        if (kind !== "ours" && (kind === "foreign" || noted === undefined)) {
          throw new DirectoryError(`there is no run in ${directory}`);
        }
        const origin = given ?? noted;
        if (origin === undefined) throw new DirectoryError(`${directory} was never served: say --origin URL`);
        io.stdout.write(
          `${linkOf(origin.replace(/\/$/, ""), await issueLink(directory, name, Date.now()))}\n`,
        );
      },
    },
    args,
    io,
  );

function parse(args: readonly string[]) {
  const text = { type: "string" } as const;
  const { values, positionals } = readArgs(args, { name: text, origin: text });
  if (values.help) return "help" as const;
  const [directory = "./data", ...more] = positionals;
  const { name = "operator", origin } = values;
  if (more.length > 0) throw new UsageError("name one data directory");
  if (name.length < 1 || name.length > 80) throw new UsageError("--name has 1 to 80 characters");
  if (origin !== undefined && !/^https?:$/.test(URL.parse(origin)?.protocol ?? "")) {
    throw new UsageError("--origin is an http(s) address");
  }
  return { directory, name, origin };
}
