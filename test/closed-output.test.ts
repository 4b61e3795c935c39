import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { addCorpus } from "../server/corpus/add.ts";
import { MAX_WAITING } from "../server/lib/bounded-output.ts";
import { TICKS } from "./unread-output.ts";

const PROGRAM = join(import.meta.dirname, "../bin/murmuration.ts");
const FULL = "/dev/full";
/** Runs a command on a terminal of its own. */
const TERMINAL = ["script", "-qc"];

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "murmuration-output-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Settings whose versions are merged by the second, and told on stdout one by one. */
const SETTINGS = {
  model: { layers: 1, heads: 1, width: 8, context: 16 },
  batch: 1,
  steps: 1,
  quorum: 1,
  evaluateWindows: 1,
};

async function serveArgs(): Promise<string[]> {
  const [text, data, run] = [
    join(directory, "text.txt"),
    join(directory, "data"),
    join(directory, "run.json"),
  ];
  await writeFile(text, "The whale, the ship and the sea. ".repeat(500));
  await addCorpus({ files: [text], dataDir: data, vocabulary: 256 });
  await writeFile(run, JSON.stringify(SETTINGS));
  return [PROGRAM, "serve", "--port", "0", "--data", data, "--run", run, "--volunteers", "1"];
}

const FLOOD = join(import.meta.dirname, "unread-output.ts");

/** How many ticks a process has that floods an output nobody reads, and how much waits then; `through` is the terminal. */
async function flood(kind: "bounded" | "bare", through: readonly string[]) {
  const reports = createServer().listen(0, "127.0.0.1");
  await once(reports, "listening");
  const { port } = reports.address() as AddressInfo;
  const command = [process.execPath, FLOOD, String(port), kind];
  const [file = "", ...args] = through.length > 0 ? [...through, command.join(" "), "/dev/null"] : command;
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"], detached: true });
  const exited = once(child, "exit");
  try {
    const [report] = await once(reports, "connection");
    const [told] = await once(report.setEncoding("utf8"), "data");
    const [ticks, waiting] = String(told).split(" ").map(Number);
    return { ticks, waiting };
  } finally {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    await exited;
    reports.close();
  }
}

/** Resolves when so many versions were published. Rejects where the server's stream of events ends before. */
async function published(origin: string, versions: number): Promise<void> {
  const { body } = await fetch(`${origin}/api/events`);
  if (body === null) throw new Error("no events");
  let told = "";
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    told += text;
    if (told.split('"type":"version"').length > versions) return;
  }
  throw new Error("the server ended");
}

describe("A26: an output that nobody reads", () => {
  it("that was closed after two lines, and a full disk behind the log, end no run", async () => {
    const full = existsSync(FULL) ? openSync(FULL, "w") : undefined;
    const server = spawn(process.execPath, await serveArgs(), {
      stdio: ["ignore", "pipe", full ?? "ignore"],
      env: { ...process.env, LOG_LEVEL: "trace" },
    });
    const exited = once(server, "exit");
    try {
      if (server.stdout === null) throw new Error("no pipe");
      let origin: string | undefined;
      for await (const chunk of server.stdout.setEncoding("utf8")) {
        origin = /http:\/\/[\d.]+:\d+/.exec(chunk)?.[0];
        if (origin !== undefined) break; // leaving the loop closes the pipe, as `head` does
      }
      if (origin === undefined) throw new Error("the server said no address");
      await published(origin, 3); // three lines that nobody reads
      server.kill("SIGTERM");
      expect((await exited)[0]).toBe(0);
    } finally {
      server.kill("SIGKILL");
      if (full !== undefined) closeSync(full);
    }
  }, 180_000);

  it.each([
    ["a pipe", []],
    ["a terminal", TERMINAL],
  ])(
    "that is %s and stays open holds nothing up, and grows no further than its bound",
    async (_, through) => {
      const { ticks, waiting } = await flood("bounded", through);
      expect(ticks).toBe(TICKS);
      expect(waiting).toBeLessThanOrEqual(MAX_WAITING);
    },
    60_000,
  );

  it("that is a pipe grows without end, and that is a terminal stops everything, the controls", async () => {
    expect((await flood("bare", [])).waiting).toBeGreaterThan(MAX_WAITING);
    expect((await flood("bare", TERMINAL)).ticks).toBeLessThan(TICKS);
  }, 60_000);

  it("ends a process that does not listen for its errors, the control", async () => {
    const child = spawn(process.execPath, ["-e", "setInterval(() => console.log('line'), 1)"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    child.stdout.once("data", () => child.stdout.destroy());
    const [code] = await once(child, "exit");
    expect(code).not.toBe(0);
  });
});
