import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type SmallRun, startSmallRun } from "./harness/small-run.ts";
import { Volunteer } from "./independent/volunteer.js";

/**
 * The second implementation (test/independent), written from docs/PROTOCOL.md alone, takes part in a real server's run.
 * A volunteer's first ticket once it is trusted is fresh; each volunteer here has a run of its own.
 */
/** Steps so small that each ticket gains as much as the one before: audits hold its gain to what was usual lately. */
const SETTINGS = {
  model: { layers: 1, heads: 2, width: 16, context: 16 },
  batch: 4,
  steps: 8,
  learningRate: 0.0001,
  outer: { kind: "average" },
  trust: { auditShare: 1 },
};

/** Rounds after the first fresh ticket: enough to follow the run by diffs. */
const ROUNDS_MORE = 25;

let run: SmallRun;
beforeEach(async ({ task }) => {
  run = await startSmallRun(task.name.includes("on a clock") ? { ...SETTINGS, rounds: {} } : SETTINGS);
}, 120_000);
afterEach(() => {
  vi.unstubAllGlobals();
  return run.end();
});

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, Math.min(ms, 100)));

/** Joins, and trains until an audit of a fresh ticket was heard of. Also what shut it out meanwhile, if anything did. */
async function trainToAudit(steps?: (ticket: { steps: number }) => number) {
  const lines: string[] = [];
  const log = (line: string) => lines.push(line);
  const volunteer = new Volunteer({ url: run.server.origin, log, sleep, ...(steps && { steps }) });
  await volunteer.join();
  let refusal: unknown;
  for (let round = 0; Object.keys(volunteer.totals.audits).length === 0; round++) {
    expect(refusal, "shut out, and no audit tells why").toBeUndefined();
    expect(round, lines.slice(-3).join("\n")).toBeLessThan(120);
    await volunteer.round().catch((error: unknown) => {
      if (!String(error).includes("quarantined")) throw error;
      refusal = error;
    });
  }
  return { volunteer, refusal };
}

/** The server tells nobody of audits before it has refused a ticket: who is found bad is shut out unheard. */
function tellOfAuditsLate(): void {
  const send = fetch;
  let refused = false;
  vi.stubGlobal("fetch", async (...asked: Parameters<typeof fetch>) => {
    const [url] = asked;
    if (String(url).endsWith("/api/me/data") && !refused) {
      const headers = { "murmuration-protocol": "2" };
      return Response.json({ data: { deltas: [] } }, { headers });
    }
    const answer = await send(...asked);
    refused ||= String(url).endsWith("/api/tickets") && answer.status === 403;
    return answer;
  });
}

it("G4, AU4: what the second implementation trained is receipted, merged and proven, and its fresh ticket recomputed", {
  timeout: 240_000,
}, async () => {
  const { volunteer, refusal } = await trainToAudit();
  expect(refusal).toBeUndefined();
  for (let round = 0; round < ROUNDS_MORE; round++) await volunteer.round();
  await volunteer.settle();
  const { receipts, proven, tokens, refused, audits } = volunteer.totals;
  expect(refused).toEqual({});
  expect(Object.keys(audits)).toEqual(["recomputed"]);
  expect(receipts).toBeGreaterThan(ROUNDS_MORE);
  expect(proven).toBe(receipts);
  const credit = await (await fetch(`${run.server.origin}/api/volunteers/${volunteer.key}`)).json();
  expect(credit).toMatchObject({ tokens, merged: receipts, pending: 0, refused: 0 });
  expect(volunteer.taken.diffs, "it followed by diffs").toBeGreaterThan(ROUNDS_MORE / 2);
  expect(volunteer.taken.snapshots).toBeLessThan(5);
});

it("T8, L4, AU4: it takes part in a run on a clock, with Muon inside, and what it did of a fresh ticket is recomputed", {
  timeout: 240_000,
}, async () => {
  const { volunteer, refusal } = await trainToAudit();
  expect(refusal).toBeUndefined();
  await volunteer.settle();
  const { receipts, proven, refused, audits } = volunteer.totals;
  expect(refused).toEqual({});
  expect(Object.keys(audits)).toEqual(["recomputed"]);
  expect(proven).toBe(receipts);
});

it.each([
  ["as soon as it is there", () => {}],
  ["only once it is shut out", tellOfAuditsLate],
])(
  "AU2, AU4, the control: a second implementation that trains half of its steps is found, and shut out, and hears of it %s",
  {
    timeout: 240_000,
  },
  async (_, tell) => {
    tell();
    const { volunteer } = await trainToAudit(({ steps }) => steps / 2);
    expect(volunteer.totals.audits).toEqual({ mismatch: 1 });
    await expect(volunteer.round()).rejects.toThrow("quarantined");
  },
);
