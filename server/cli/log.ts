import { type Logger, pino } from "pino";
import type { Writer } from "../lib/io.ts";
import { StartError } from "./failure.ts";

/** The server's log: JSON lines on stderr, which must never wait for its reader (bounded-output.ts). */
export const openLog = (level: string, stderr: Writer): Logger =>
  pino({ level }, { write: (line) => void stderr.write(line) });

const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

/** LOG_LEVEL's value; the default where it is unset or empty, as a line of an .env file without a value leaves it. */
export function logLevel(text: string | undefined): (typeof LOG_LEVELS)[number] {
  const wanted = text?.trim().toLowerCase() || "warn";
  const level = LOG_LEVELS.find((one) => one === wanted);
  if (level !== undefined) return level;
  throw new StartError(`LOG_LEVEL is ${JSON.stringify(text)}, and must be one of ${LOG_LEVELS.join(", ")}`);
}
