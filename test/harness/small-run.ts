import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { issueLink, linkOf } from "../../server/operator/link.ts";
import { prose } from "../corpus-fixture.ts";
import { BRIEF_RUN, runCommand, type ServerProcess, startServer } from "./server-process.ts";

/**
 * Steady settings: a version a delta, and no audits, which find nothing to say of a model this small; so the operator
 * alone decides who is in.
 */
const SETTINGS = { ...BRIEF_RUN, quorum: 1, steps: 40, learningRate: 0.001 };

export interface SmallRun {
  /** The server of the moment. */
  readonly server: ServerProcess;
  /** A new one-time link that signs its operator in; it voids the one before. */
  operatorLink(): Promise<string>;
  /** Starts it again, once it has ended, where it was. */
  restart(): Promise<void>;
  /** Ends the server and removes its directory. */
  end(): Promise<void>;
}

/** Starts a real server, with `flags`, on a small run of a small text of its own; `settings` are put over the steady ones. */
export async function startSmallRun(settings: object, ...flags: readonly string[]): Promise<SmallRun> {
  const directory = await mkdtemp(join(tmpdir(), "murmuration-small-run-"));
  const text = join(directory, "text.txt");
  const data = join(directory, "data");
  const run = join(directory, "run.json");
  await writeFile(text, prose(60_000));
  const steady = { ...SETTINGS, ...settings };
  const rounds = { seconds: 1, batch: steady.batch };
  await writeFile(run, JSON.stringify({ ...steady, rounds, ...settings }));
  await runCommand("corpus", "add", text, "--data", data, "--vocab", "256");
  let server = await startServer("--data", data, "--run", run, ...flags);
  return {
    get server() {
      return server;
    },
    operatorLink: async () => linkOf(server.origin, await issueLink(data, "Ann", Date.now())),
    async restart() {
      server = await startServer("--data", data, "--port", new URL(server.origin).port, ...flags);
    },
    async end() {
      await server.end("SIGTERM");
      await rm(directory, { recursive: true });
    },
  };
}
