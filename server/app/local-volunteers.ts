import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { setPriority } from "node:os";
import { messageOf } from "../../model/lib/message-of.ts";

/** Restarts of a crashing volunteer wait this long, doubled each time up to the last, in milliseconds. */
const FIRST_WAIT_MS = 1_000;
const MAX_WAIT_MS = 60_000;
/** Milliseconds a volunteer must live before its crash counts as a first one. */
const HEALTHY_MS = 60_000;
/** Milliseconds from asking a volunteer to stop until it is killed. */
const GRACE_MS = 2_000;
/** Unix niceness of volunteers: they share the machine with the server, which goes first. */
export const NICENESS = 5;

export interface SwarmOptions {
  /** Starts one volunteer: command and arguments. */
  readonly command: readonly [string, ...string[]];
  readonly count: number;
  readonly say: (line: string) => void;
  /** Node's own, or a test's. */
  readonly spawn?: (...args: [file: string, args: string[], options: SpawnOptions]) => ChildProcess;
}

/**
 * Volunteers as child processes of the server (`serve --volunteers N`): one that crashes is started again
 * with backoff; one that ends by itself, because the run is finished, stays ended. Each has an IPC channel to
 * this process only so that it sees this process die and does not outlive it.
 */
export class Swarm {
  readonly #options: SwarmOptions;
  readonly #children = new Set<ChildProcess>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #stopped = false;

  constructor(options: SwarmOptions) {
    this.#options = options;
    for (let number = 1; number <= options.count; number++) this.#start(number, FIRST_WAIT_MS);
  }

  /** Volunteers that run now. */
  get size(): number {
    return this.#children.size;
  }

  /** Asks every volunteer to stop, kills those that do not, and resolves when none is left. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    const ended = [...this.#children].map((child) => new Promise((resolve) => child.once("close", resolve)));
    for (const child of this.#children) child.kill("SIGTERM");
    const force = setTimeout(() => {
      for (const child of this.#children) child.kill("SIGKILL");
    }, GRACE_MS);
    await Promise.all(ended);
    clearTimeout(force);
  }

  #start(number: number, wait: number): void {
    const [file, ...args] = this.#options.command;
    const started = performance.now();
    const restart = (why: string) => {
      const again = performance.now() - started > HEALTHY_MS ? FIRST_WAIT_MS : wait;
      this.#options.say(`volunteer ${number} ended (${why}); starting it again in ${again / 1_000} s`);
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        this.#start(number, Math.min(2 * again, MAX_WAIT_MS));
      }, again);
      this.#timers.add(timer);
    };
    let child: ChildProcess;
    try {
      child = (this.#options.spawn ?? spawn)(file, args, { stdio: ["ignore", "ignore", "pipe", "ipc"] });
    } catch (error) {
      // Some failures (no memory) are thrown instead of told, and this may run in a timer.
      restart(messageOf(error));
      return;
    }
    this.#children.add(child);
    lowerPriority(child.pid);
    let lastWords = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      lastWords = (lastWords + text).slice(-1_000);
    });
    const hear = (error: Error) => {
      lastWords = error.message;
    };
    child.on("error", hear);
    child.stderr?.on("error", hear);
    child.on("close", (code, signal) => {
      this.#children.delete(child);
      if (this.#stopped || code === 0) return;
      restart(lastWords.trim().split("\n").at(-1) || signal || `exit code ${code}`);
    });
  }
}

function lowerPriority(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, NICENESS);
  } catch {
    // Where the system does not let us, volunteers run at the same priority.
  }
}
