import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseJson } from "../../protocol/guards.ts";
import { type AuditEntry, auditEntry } from "../../protocol/operator.ts";

const FILE = "operator-log.jsonl";
/** Entries shown, the newest. */
const SHOWN = 100;

/** Operators' actions, one JSON line each, beside the run: kept for good, and readable with any tool. */
export class AuditLog {
  readonly #file: string;
  #newest: AuditEntry[];
  #tail: Promise<void> = Promise.resolve();

  private constructor(file: string, newest: AuditEntry[]) {
    this.#file = file;
    this.#newest = newest;
  }

  static async open(directory: string): Promise<AuditLog> {
    const file = join(directory, FILE);
    const text = await readFile(file, "utf8").catch(() => "");
    return new AuditLog(file, text.split("\n").flatMap(entryOf).slice(-SHOWN));
  }

  /** Newest first. */
  get entries(): readonly AuditEntry[] {
    return this.#newest.toReversed();
  }

  /** Resolves when the entry is in the file. */
  add(entry: AuditEntry): Promise<void> {
    const written = this.#tail.then(() =>
      appendFile(this.#file, `${JSON.stringify(entry)}\n`, { mode: 0o600, flush: true }),
    );
    this.#tail = written.catch(() => {}); // the caller gets the error
    return written.then(() => {
      this.#newest = [...this.#newest, entry].slice(-SHOWN);
    });
  }
}

/** A damaged line, as a crash may leave, is left out. */
function entryOf(line: string): AuditEntry[] {
  try {
    return [auditEntry(parseJson(new TextEncoder().encode(line)), "a line")];
  } catch {
    return [];
  }
}
