import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const PROGRAM = join(import.meta.dirname, "../../bin/murmuration.ts");
/** Milliseconds before a server that ended is started again, as a supervisor does. */
const AGAIN_MS = 100;

/** One of a run's servers, which comes back whenever it ends. */
export class Seat {
  readonly #flags: readonly string[];
  readonly #log: string;
  #child: ChildProcess | undefined;
  #role: "leader" | "edge" | undefined;
  #origin: string | undefined;
  #over = false;
  #lived: Promise<void> = Promise.resolve();

  /** What its servers say on stderr, one after the other, goes to `log`. */
  constructor(log: string, ...flags: readonly string[]) {
    this.#log = log;
    this.#flags = flags;
    this.#lived = this.#live();
  }

  /** What it is to the run, once it answers. */
  get role(): "leader" | "edge" | undefined {
    return this.#role;
  }

  get origin(): string | undefined {
    return this.#origin;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Resolves when it has ended; it is started again. */
  async kill(): Promise<void> {
    await this.#signal("SIGKILL");
  }

  pause(): void {
    this.#child?.kill("SIGSTOP");
  }

  /** Goes on after {@link pause}; resolves when it has ended by itself, to the milliseconds that took. */
  async wake(): Promise<number> {
    const child = this.#child;
    const began = performance.now();
    child?.kill("SIGCONT");
    if (child !== undefined && child.exitCode === null && child.signalCode === null)
      await once(child, "exit");
    return performance.now() - began;
  }

  /** Stops it for good: in order, or at once. */
  async end(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    this.#over = true;
    await this.#signal(signal);
    await this.#lived;
  }

  async #signal(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }

  async #live(): Promise<void> {
    while (!this.#over) {
      const log = openSync(this.#log, "a");
      const child = spawn(process.execPath, [PROGRAM, "serve", "--port", "0", ...this.#flags], {
        stdio: ["ignore", "pipe", log],
      });
      closeSync(log);
      this.#child = child;
      createInterface({ input: child.stdout! }).on("line", (line) => {
        const edge = /^An edge of the run: (\S+)\/$/.exec(line)?.[1];
        const leader = /(http\S+)\/operator#link=/.exec(line)?.[1];
        if (edge === undefined && leader === undefined) return;
        this.#origin = edge ?? leader;
        this.#role = edge === undefined ? "leader" : "edge";
      });
      await once(child, "exit");
      this.#role = undefined;
      await sleep(AGAIN_MS);
    }
  }
}
