import type { Progress } from "./options.ts";

/** Where the command writes: a terminal, a pipe, or a test's string. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
}

const DOING: Readonly<Record<Progress["stage"], string>> = {
  comparing: "Reading what is there",
  reading: "Reading and splitting",
  counting: "Counting words",
  merging: "Merging byte pairs",
  encoding: "Writing shards",
};

const WIDTH = 30;

/**
 * Shows progress: on a terminal one line that fills up, redrawn at each percent; elsewhere one line a stage,
 * so that a log stays short.
 */
export class ProgressBar {
  readonly #out: Output;
  #stage: Progress["stage"] | undefined;
  #shown = "";

  constructor(out: Output) {
    this.#out = out;
  }

  show(progress: Progress): void {
    const { stage } = progress;
    if (stage !== this.#stage) {
      this.end();
      this.#stage = stage;
      if (!this.#out.isTTY) this.#out.write(`${DOING[stage]} …\n`);
    }
    if (!this.#out.isTTY) return;
    const line = `${DOING[stage].padEnd(22)} ${measure(progress)}`;
    if (line === this.#shown) return;
    this.#out.write(`\r${line}`);
    this.#shown = line;
  }

  /** Leaves the last line standing, so that what comes next begins a line of its own. */
  end(): void {
    if (this.#shown !== "") this.#out.write("\n");
    this.#shown = "";
  }
}

function measure({ done, total, stage }: Progress): string {
  if (total === undefined || total === 0) return stage === "merging" ? "" : sizeText(done);
  const part = Math.min(1, done / total);
  const full = Math.round(part * WIDTH);
  return `${"█".repeat(full)}${"░".repeat(WIDTH - full)} ${String(Math.floor(part * 100)).padStart(3)}%`;
}

/** Bytes for people: 1,234,567 is `1.2 MB`. */
export function sizeText(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  const power = Math.min(4, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1_000 ** power).toFixed(1)} ${["B", "kB", "MB", "GB", "TB"][power]}`;
}
