import { type Logger, pino } from "pino";

/** Bytes of log lines that wait for a stderr that takes none, such as a file on a full disk. Later lines are dropped. */
const MAX_WAITING = 1024 * 1024;

/** The server's log: JSON lines on stderr. A stderr that is closed or full loses lines and ends nothing. */
export function openLog(level: string): Logger {
  const destination = pino.destination({ fd: 2, sync: true, maxLength: MAX_WAITING });
  destination.on("error", () => {}); // without a listener the error would be thrown, and end the run
  return pino({ level }, destination);
}
