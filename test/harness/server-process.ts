import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { RunStatus } from "../../protocol/status.ts";

const program = join(import.meta.dirname, "../../bin/murmuration.ts");

/** Settings of a run whose versions take a moment, so that a process may be ended in any part of one. */
export const BRIEF_RUN = {
  model: { layers: 1, heads: 1, width: 8, context: 16 },
  batch: 1,
  rounds: { seconds: 0.1, batch: 1 },
  steps: 1,
  warmupTokens: 0,
  learningRate: 0.1,
  quorum: 3,
  snapshotEvery: 3,
  evaluateWindows: 1,
  trust: { auditShare: 0 }, // tests send noise, which audits would find bad
};

/** A real `murmuration serve` in a process of its own. */
export interface ServerProcess {
  readonly pid: number;
  readonly origin: string;
  /** The operator's one-time link. */
  readonly link: string;
  status(): Promise<RunStatus>;
  /** The bytes at a path. */
  get(path: string): Promise<Uint8Array<ArrayBuffer>>;
  /** Resolves with the first status that `wanted` accepts; looks again at every line the server prints. */
  until(wanted: (status: RunStatus) => boolean): Promise<RunStatus>;
  /** Ends the process with a signal and waits until it is gone. */
  end(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
}

/** Starts a server on a free port and waits until it has printed its links; with `--create` it may have no run yet. */
export async function startServer(...args: string[]): Promise<ServerProcess> {
  const child = spawn(process.execPath, [program, "serve", "--port", "0", ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const lines = createInterface({ input: child.stdout });
  const link = await new Promise<string>((resolve, reject) => {
    lines.on("line", (line) => {
      const found = /http\S+\/operator#link=\S+/.exec(line)?.[0];
      if (found !== undefined) resolve(found);
    });
    exited.then(([code]) => reject(new Error(`the server ended with ${code} before it listened`)));
  });
  const { origin } = new URL(link);
  const status = async (): Promise<RunStatus> => {
    const answer = await fetch(`${origin}/api/run`);
    if (!answer.ok) throw new Error(`GET /api/run answered ${answer.status}`);
    return (await answer.json()) as RunStatus;
  };
  if (child.pid === undefined) throw new Error("the server did not start");
  return {
    pid: child.pid,
    origin,
    link,
    status,
    get: async (path) => new Uint8Array(await (await fetch(origin + path)).arrayBuffer()),
    async until(wanted) {
      for (;;) {
        const printed = once(lines, "line");
        const now = await status();
        if (wanted(now)) return now;
        await printed;
      }
    },
    async end(signal) {
      if (isRunning(child)) child.kill(signal);
      await exited;
    },
  };
}

/** Runs one command of the program to its end. Throws with its exit code when that is not 0. */
export async function runCommand(...args: string[]): Promise<void> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "ignore", "inherit"] });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`murmuration ${args.join(" ")} ended with ${code}`);
}

const isRunning = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null;
