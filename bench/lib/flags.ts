import { type ParseArgsOptionsConfig, parseArgs } from "node:util";

/** The flag that every bench has: its last line of output is one JSON object. */
const EVERY_BENCH = { json: { type: "boolean", default: false } } as const;

/**
 * The flags of `npm run bench -- NAME`. A wrong flag ends the process with exit code 2 and one line that lists the
 * right ones.
 */
export function benchFlags<const Options extends ParseArgsOptionsConfig>(options: Options) {
  const all: typeof EVERY_BENCH & Options = { ...EVERY_BENCH, ...options };
  try {
    return parseArgs({ args: process.argv.slice(2), options: all, allowPositionals: false }).values;
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split(". ");
    const known = Object.entries<ParseArgsOptionsConfig[string]>(all).map(
      ([name, { type, multiple }]) =>
        `--${name}${type === "string" ? " VALUE" : ""}${multiple === true ? "…" : ""}`,
    );
    return refuse(`${reason}; flags: ${known.join(" ")}`);
  }
}

/** Ends the process with exit code 2 and one line on stderr. */
export function refuse(reason: string): never {
  console.error(`bench: ${reason.replaceAll("\n", " ")}`);
  process.exit(2);
}

/** The value of a flag that takes a whole number of at least `least`; {@link refuse}s any other. */
export function countOf(flag: string, given: string, least = 1): number {
  const value = Number(given);
  return Number.isSafeInteger(value) && value >= least
    ? value
    : refuse(`--${flag} ${given}: not a whole number of at least ${least}`);
}

/** The values of a flag, each of which must be one of `known`; {@link refuse}s any other. */
export function namedOf<T extends string>(flag: string, given: readonly string[], known: readonly T[]): T[] {
  return given.map(
    (name) =>
      known.find((key) => key === name) ??
      refuse(`--${flag} ${name}: there is none; there are ${known.join(", ")}`),
  );
}
