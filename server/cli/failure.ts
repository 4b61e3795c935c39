import { ModelError } from "../../model/contract/config.ts";
import { systemCode } from "../../model/lib/system-code.ts";
import { CorpusError, isFull } from "../corpus/error.ts";
import { DirectoryError, LockedError } from "../data-dir/error.ts";
import { QuestionsError } from "../evaluate/questions.ts";
import { ExportError } from "../export/error.ts";
import { accessLine, isRefused } from "../lib/access.ts";
import { MirrorError } from "../mirror/target.ts";
import { SettingsError } from "../run/settings.ts";
import { Deposed, StoreError } from "../store/store.ts";

/** An error that the user of a command can put right. */
export class StartError extends Error {
  override readonly name = "StartError";
}

const OURS = [
  ...[StartError, SettingsError, DirectoryError, LockedError],
  ...[CorpusError, StoreError, Deposed, MirrorError, ExportError, ModelError, QuestionsError],
];

/**
 * What a command says of a failure: one line for what its user can put right, our own errors and the system's;
 * the whole stack for anything else, which is a mistake of ours.
 */
export function lineOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (OURS.some((kind) => error instanceof kind)) return error.message;
  if (isFull(error)) return `${fullLine(error)}: free some, and start again`;
  const code = systemCode(error) ?? "";
  const path = pathOf(error);
  if (path !== undefined && isRefused(code)) return accessLine(path, code);
  if (code === "EMFILE" || code === "ENFILE") {
    return `too many files are open (${code}): raise the limit, e.g. with "ulimit -n 8192"`;
  }
  return /^(?:E[A-Z0-9]+|ERR_FS_\w+)$/.test(code) ? error.message : (error.stack ?? error.message);
}

function fullLine(error: Error): string {
  const path = pathOf(error);
  return `there is no space left${path === undefined ? "" : ` to write ${path}`} (${systemCode(error)})`;
}

/** The file or directory that a system call was about. */
const pathOf = (error: Error): string | undefined =>
  "path" in error && typeof error.path === "string" ? error.path : undefined;
