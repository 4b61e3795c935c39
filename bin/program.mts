import { readFile } from "node:fs/promises";
import { boundedOutput } from "../server/lib/bounded-output.ts";

/** The program: picks a command and loads only what that command needs. */
const USAGE = `Murmuration: anyone's browser helps pre-train a small language model.

Usage: murmuration COMMAND [options]

  serve             serve a run: its pages, its work, and the model as it grows
  corpus add FILE…  make a data directory's corpus from text
  volunteer URL     train for a run on this machine, without a browser
  operator-link     print a new one-time link to the operator's page
  questions FILE    have a run's versions answer multiple-choice questions
  export DIR|URL    take a run's model out, for Hugging Face's tools or llama.cpp
  verify DIR        check that a run's model is what its signed history says
  cluster …         copy a run to a NATS JetStream cluster, or see how it does there
  worker …          audit and evaluate for the server that leads a run there
  archive …         copy a run from there to a directory, and keep the copy up with it
  backup DIR TO     copy a run's data directory, also while it is served; restore BACKUP DIR brings it back

  --help            this, or a command's own help: murmuration serve --help
  --version         the version
`;

/** Asked to stop again, or unable to, the process ends as the shell expects of an interrupted one. */
const INTERRUPTED = 130;

/** Milliseconds that lines written last wait for a reader. */
const LAST_LINES_MS = 1_000;

const [stdout, stderr] = [boundedOutput(process.stdout), boundedOutput(process.stderr)];

const [command, ...rest] = process.argv.slice(2);
try {
  process.exitCode = await run(command, rest);
} catch (error) {
  stderr.write(`murmuration: ${await explain(error)}\n`);
  process.exitCode = 1;
}
// Lines that nobody reads would keep the process from ending.
if (stdout.waits || stderr.waits) setTimeout(() => process.exit(), LAST_LINES_MS).unref();

async function run(name: string | undefined, args: readonly string[]): Promise<number> {
  const { stdin } = process;
  switch (name) {
    case "serve": {
      const { serveCommand } = await import("../server/cli/main.ts");
      return serveCommand(args, { stdout, stderr, signal: stopSignal(), program: thisProgram() });
    }
    case "corpus": {
      const { corpusCommand } = await import("../server/cli/corpus.ts");
      return corpusCommand(args, { stdin, stdout, stderr });
    }
    case "volunteer": {
      const { volunteerCommand } = await import("../client/cli/volunteer.ts");
      return volunteerCommand(args, { stdout, stderr, signal: stopSignal() });
    }
    case "export": {
      const { exportCommand } = await import("../server/cli/export.ts");
      return exportCommand(args, { stdout, stderr });
    }
    case "questions": {
      const { questionsCommand } = await import("../server/cli/questions.ts");
      return questionsCommand(args, { stdout, stderr });
    }
    case "operator-link": {
      const { operatorLinkCommand } = await import("../server/cli/operator.ts");
      return operatorLinkCommand(args, { stdout, stderr });
    }
    case "verify": {
      const { verifyCommand } = await import("../server/cli/verify.ts");
      return verifyCommand(args, { stdout, stderr });
    }
    case "backup":
    case "restore": {
      const { backupCommand } = await import("../server/cli/backup.ts");
      return backupCommand(name, args, { stdout, stderr });
    }
    case "cluster": {
      const { clusterCommand } = await import("../server/cli/cluster.ts");
      return clusterCommand(args, { stdout, stderr });
    }
    case "worker": {
      const { workerCommand } = await import("../server/cli/worker.ts");
      return workerCommand(args, { stdout, stderr, signal: stopSignal() });
    }
    case "archive": {
      const { archiveCommand } = await import("../server/cli/archive.ts");
      return archiveCommand(args, { stdout, stderr, signal: stopSignal() });
    }
    case "--version":
      stdout.write(`${await version()}\n`);
      return 0;
    case "--help":
    case "-h":
    case "help":
      stdout.write(USAGE);
      return 0;
    default:
      stderr.write(name === undefined ? USAGE : `murmuration: there is no command "${name}"\n\n${USAGE}`);
      return 2;
  }
}

/** Explains an error that no command did: missing packages, or a refusal of the system. */
async function explain(error: unknown): Promise<string> {
  if (error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND") {
    return `a part of the program is missing; \`npm ci\` in its folder puts it there (${error.message})`;
  }
  const { lineOf } = await import("../server/cli/failure.ts");
  return lineOf(error);
}

/** Aborts when the operator asks to stop, or when the server that started this volunteer is gone. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(INTERRUPTED);
      controller.abort();
    });
  }
  process.on("disconnect", () => controller.abort());
  process.channel?.unref(); // listening for the parent keeps nothing alive
  return controller.signal;
}

/** How to start this program again: the runtime and this script. */
function thisProgram(): readonly [string, ...string[]] {
  return [process.execPath, ...process.execArgv, process.argv[1] ?? ""];
}

/** From package.json, beside bin/ in the source and above dist/node/bin/ in the build. */
async function version(): Promise<string> {
  const up = import.meta.url.endsWith(".mjs") ? "../../../package.json" : "../package.json";
  const manifest: { version: string } = JSON.parse(await readFile(new URL(up, import.meta.url), "utf8"));
  return manifest.version;
}
