import type { Words } from "../../language/catalogue.ts";
import { formatBytes } from "../../ui/format.ts";

/** What a page says of the model that writes in it. */
export const words = {
  loading: (bytes: number, total: number) =>
    total === 0 ? "Loading the model…" : `Loading the model: ${formatBytes(bytes)} of ${formatBytes(total)}…`,
  failed: "The model could not be loaded or did not write.",
  retry: "Try again",
  prompt: "Your words",
  write: "Write",
  stop: "Stop",
  output: "What it wrote",
  writing: "Writing…",
  ask: "Try the model",
  askHelp: (bytes: number) =>
    `Write a beginning, and the model goes on, here in your browser. Nothing you type leaves your device. The first time, at most ${formatBytes(bytes)} are downloaded.`,
  back: "Back",
} as const;

export type WriterWords = Words<typeof words>;
