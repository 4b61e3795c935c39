import { join } from "node:path";
import type { Manifest } from "../../protocol/manifest.ts";
import { type Cache, memoryCache } from "../cache/cache.ts";
import { openIdentity } from "../cache/entries.ts";
import { fileCache } from "../cache/files.ts";
import { lastingCache } from "../cache/lasting.ts";
import { httpApi } from "../transport/http.ts";
import { mirroredApi } from "../transport/mirror.ts";
import { Control } from "../worker/control.ts";
import { nodeCandidates } from "../worker/device/devices.ts";
import { type LoopEnd, volunteer } from "../worker/loop.ts";
import type { Report } from "../worker/messages.ts";
import { openLanguageRun } from "../worker/open-run.ts";
import { monotonic, sleep } from "../worker/time.ts";
import { parseVolunteerFlags, UsageError, VOLUNTEER_USAGE } from "./flags.ts";
import { identityFile } from "./identity.ts";
import { lineTeller } from "./lines.ts";
import { namingRuns } from "./which-run.ts";

/** The parts of the process that the command uses. */
export interface VolunteerIo {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  /** Aborts when the visitor asks to stop (SIGINT, SIGTERM, a parent that is gone). */
  readonly signal: AbortSignal;
}

/** Exit codes by how the loop ended; 2 is a command line that does not make sense. */
const EXIT: Record<LoopEnd, number> = { finished: 0, stopped: 0, unable: 1 };

/**
 * `murmuration volunteer URL …`: the browser's round loop in Node, one line for each delta. Resolves with the
 * exit code when the run is finished, the signal aborts, or this machine cannot help.
 */
export async function volunteerCommand(args: readonly string[], io: VolunteerIo): Promise<number> {
  const flags = readFlags(args, io);
  if (typeof flags === "number") return flags;
  const { server, device, share, state } = flags;
  const lineOf = lineTeller();
  const report = (one: Report) => {
    const line = lineOf(one);
    if (line !== undefined) {
      const unable = one.type === "phase" && one.phase.phase === "unable";
      (unable ? io.stderr : io.stdout).write(`${line}\n`);
    }
  };
  const control = new Control(report, share);
  const stop = () => control.stop();
  if (io.signal.aborted) stop();
  io.signal.addEventListener("abort", stop);
  const line = (text: string) => io.stderr.write(`${text}\n`);
  const say = (why: string) => io.stderr.write(`nothing is kept in --state any more: ${why}\n`);
  try {
    const end = await volunteer({
      api: namingRuns(mirroredApi(httpApi({ server }), { clock: monotonic, say: line }), { server }),
      control,
      report,
      clock: monotonic,
      random: Math.random,
      sleep,
      open: async (manifest) => {
        const { cache, identity } = await openState(state, manifest, say);
        const candidates = nodeCandidates();
        return openLanguageRun({ manifest, cache, identity, candidates, only: device, control, report });
      },
    });
    return EXIT[end];
  } finally {
    io.signal.removeEventListener("abort", stop);
  }
}

function readFlags(args: readonly string[], io: VolunteerIo) {
  try {
    const flags = parseVolunteerFlags(args);
    if (flags !== "help") return flags;
    io.stdout.write(VOLUNTEER_USAGE);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    io.stderr.write(`${error.message}\n\n${VOLUNTEER_USAGE}`);
    return 2;
  }
}

/** The cache that an earlier start left in this directory for this run, or one in memory. */
async function openState(directory: string | undefined, { run }: Manifest, say: (why: string) => void) {
  if (directory === undefined) {
    const cache: Cache = memoryCache();
    return { cache, identity: await openIdentity(cache) };
  }
  const own = join(directory, run.slice(0, 16));
  const cache = lastingCache(await fileCache(own), say);
  return { cache, identity: await identityFile(join(own, "identity.json")) };
}
