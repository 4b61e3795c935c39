import { parseArgs } from "node:util";
import { kindOf } from "../data-dir/directory.ts";
import { DirectoryError } from "../data-dir/error.ts";
import type { Writer } from "../lib/io.ts";
import { issueLink, LINK_MS, linkOf, notedAddress } from "../operator/link.ts";
import { lineOf } from "./failure.ts";

const LINK_USAGE = `Usage: murmuration operator-link [DIR] [--name NAME] [--origin URL]

Prints a new one-time link that signs an operator in to the server of a data directory (./data). It works once,
within ${LINK_MS / 60_000} minutes, and voids a link that was printed before and not used.

  --name NAME     who it is for: the audit log says so (operator)
  --origin URL    the address to put into it, e.g. https://train.example (where the server listens)
`;

export interface LinkIo {
  readonly stdout: Writer;
  readonly stderr: Writer;
}

/** `murmuration operator-link …`. Resolves to the exit code: 0, 1 where it failed, 2 for a wrong command. */
export async function operatorLinkCommand(args: readonly string[], io: LinkIo): Promise<number> {
  let flags: ReturnType<typeof parse>;
  try {
    flags = parse(args);
  } catch (error) {
    io.stderr.write(`murmuration operator-link: ${messageOf(error)}\n\n${LINK_USAGE}`);
    return 2;
  }
  if (flags.help) {
    io.stdout.write(LINK_USAGE);
    return 0;
  }
  const { directory, name } = flags;
  try {
    const kind = await kindOf(directory);
    const noted = await notedAddress(directory);
    // A directory that waits for its run from the page has nothing yet but the address it is served at.
    if (kind !== "ours" && (kind === "foreign" || noted === undefined)) {
      throw new DirectoryError(`there is no run in ${directory}`);
    }
    const origin = flags.origin ?? noted;
    if (origin === undefined) throw new DirectoryError(`${directory} was never served: say --origin URL`);
    io.stdout.write(`${linkOf(origin.replace(/\/$/, ""), await issueLink(directory, name, Date.now()))}\n`);
    return 0;
  } catch (error) {
    io.stderr.write(`murmuration operator-link: ${lineOf(error)}\n`);
    return 1;
  }
}

function parse(args: readonly string[]) {
  const text = { type: "string" } as const;
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { name: text, origin: text, help: { type: "boolean", short: "h" } },
  });
  const [directory = "./data", ...more] = positionals;
  const { name = "operator", origin, help = false } = values;
  if (more.length > 0) throw new Error("name one data directory");
  if (name.length < 1 || name.length > 80) throw new Error("--name has 1 to 80 characters");
  if (origin !== undefined && !/^https?:$/.test(URL.parse(origin)?.protocol ?? "")) {
    throw new Error("--origin is an http(s) address");
  }
  return { directory, name, origin, help };
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
