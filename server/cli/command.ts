import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import { messageOf } from "../../model/lib/message-of.ts";
import type { Writer } from "../lib/io.ts";
import { lineOf } from "./failure.ts";

/** A command line that does not make sense. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The streams of a command. */
export interface CommandIo {
  readonly stdout: Writer;
  readonly stderr: Writer;
}

export interface Command<Flags> {
  /** What stands after `murmuration`. */
  readonly name: string;
  readonly usage: string;
  /** Reads what stands after the name. Throws {@link UsageError}. */
  readonly parse: (args: readonly string[]) => Flags | "help";
  /** Does the work, and prints its result. */
  readonly run: (flags: Flags) => Promise<void>;
  /** The line for an error that `run` threw ({@link lineOf}). */
  readonly explain?: (error: unknown, flags: Flags) => string;
  /** The exit code for such an error (1). */
  readonly exitCode?: (error: unknown) => number;
}

const HELP = { help: { type: "boolean", short: "h" } } as const;

/** Reads flags and names; every command has --help. Throws {@link UsageError}. */
export function readArgs<const Options extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: Options,
  allowPositionals = true,
) {
  const all: typeof HELP & Options = { ...HELP, ...options };
  try {
    return parseArgs({ args: [...args], options: all, allowPositionals });
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}

/**
 * Runs a command. Resolves to the exit code: 0, also for its help; 2, with its usage on stderr, for a command line that
 * does not make sense; that of a failure, with a line on stderr.
 */
export async function runCommand<Flags>(
  { name, usage, parse, run, explain = lineOf, exitCode = () => 1 }: Command<Flags>,
  args: readonly string[],
  io: CommandIo,
): Promise<number> {
  let flags: Flags | "help";
  try {
    flags = parse(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    io.stderr.write(`murmuration ${name}: ${error.message}\n\n${usage}`);
    return 2;
  }
  if (flags === "help") {
    io.stdout.write(usage);
    return 0;
  }
  try {
    await run(flags);
    return 0;
  } catch (error) {
    io.stderr.write(`murmuration ${name}: ${explain(error, flags)}\n`);
    return exitCode(error);
  }
}
