import { type Logger, pino } from "pino";
import type { Writer } from "../lib/io.ts";

/** The server's log: JSON lines on stderr, which must never wait for its reader (bounded-output.ts). */
export const openLog = (level: string, stderr: Writer): Logger =>
  pino({ level }, { write: (line) => void stderr.write(line) });
