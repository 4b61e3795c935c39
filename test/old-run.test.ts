/**
 * A run made by an earlier release opens, trains on and verifies: its journal, its data directory and every byte of
 * its replay are a format that outlives our code. `fixtures/run-2026-11.tar.gz` holds such a run, made by commit
 * 640d1c0: 23 versions by two volunteers, audits, a roll-back from version 15 to 10, and a pause.
 */
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { verifyDirectory } from "../server/cli/verify.ts";
import { temporary } from "./corpus-fixture.ts";
import { HttpVolunteer } from "./harness/http-volunteer.ts";
import { startServer } from "./harness/server-process.ts";

const FIXTURE = join(import.meta.dirname, "fixtures/run-2026-11.tar.gz");

/** The run file that began it: what it does not say had the defaults of that release, turns among them. */
const RUN_FILE = {
  ...{ name: "Fixture", model: { layers: 1, heads: 2, width: 8, context: 16 }, batch: 2, steps: 4 },
  ...{ tokenBudget: 1_000_000, learningRate: 0.01, warmupTokens: 0, snapshotEvery: 5, evaluateWindows: 8 },
  trust: { auditShare: 0.3 },
};

const MADE = {
  run: "c23531ff78fa5d70289fafe82f9662e48dfe94b704aff19211380c726a28a15d",
  version: 23,
  model: "997241a41d5f2bec24a633cc0f6dc46e3c8afa0eb25ea2a1c14072d4520ba0b1",
  record: "059285eeefa4df7a428f0011a2c60d2215aa35463f142308ea601f73662fd7c3",
  merged: 40,
};

test("a run made by commit 640d1c0 verifies at its hashes, trains on under its rules and verifies again", async () => {
  await using directory = await temporary();
  await promisify(execFile)("tar", ["-xzf", FIXTURE, "-C", directory.path]);
  const data = join(directory.path, "data");
  expect(await verifyDirectory(data)).toMatchObject(MADE);

  const file = join(directory.path, "run.json");
  await writeFile(file, JSON.stringify(RUN_FILE));
  const server = await startServer("--data", data, "--run", file, "--volunteers", "1");
  const { version } = await server.until((status) => status.version >= MADE.version + 3);
  expect(
    await (await HttpVolunteer.at(server.origin)).ticket(),
    "whose steps are all done",
  ).not.toHaveProperty("trainFor");
  const { record } = (await (await fetch(`${server.origin}/api/versions/${MADE.version + 1}`)).json()) as {
    record: { previous: string };
  };
  await server.end("SIGTERM");

  expect(record.previous).toBe(MADE.record);
  const after = await verifyDirectory(data);
  expect(after.run).toBe(MADE.run);
  expect(after.version).toBeGreaterThanOrEqual(version);
}, 60_000);
