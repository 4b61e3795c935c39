import { expect, test } from "vitest";
import { HonestAudits } from "../bench/crowd-start/honest-audits.ts";
import { lossAt } from "../bench/crowd-start/start.ts";
import { VirtualClock } from "../bench/learning/clock.ts";
import { Random } from "../model/lib/random.ts";
import type { Hash, RunId, Signature, TicketId, VolunteerKey } from "../protocol/ids.ts";
import type { Ticket } from "../protocol/ticket.ts";
import { begin } from "../server/coordinator/state.ts";
import { parseSettings } from "../server/run/settings.ts";
import { lookCost } from "../server/trust/audit.ts";

const HASH = "0".repeat(64) as Hash;
const settings = parseSettings({ model: { layers: 1, heads: 2, width: 32, context: 32 }, batch: 4 });
const ticketOf = (name: string): Ticket => ({
  ...{ run: "0".repeat(64) as RunId, id: name as TicketId, volunteer: name as VolunteerKey, version: 0 },
  ...{ hash: HASH, shard: HASH, window: 0, seed: 1, steps: 5, batch: 4, fresh: false },
  ...{ rates: Array<number>(5).fill(0.01), lease: 60_000, issued: 0, signature: "" as Signature },
});

test("one thread makes an honest crowd's audits one after another, each as long as its first look", async () => {
  const clock = new VirtualClock();
  const told: [string, number][] = [];
  const service = {
    settings,
    state: begin({ type: "created", at: 0, hash: HASH, genesis: {} }),
    tell: ({ ticket, verdict }: { ticket: string; verdict: string }) => {
      expect(verdict).toBe("good");
      told.push([ticket, clock.now]);
    },
  };
  const audits = new HonestAudits({ clock, service, random: new Random(1), tokenMs: 3 });
  const report = { loss: 3, trainMs: 1, device: "" };
  for (const name of ["a", "b", "c"])
    audits.consider({ ticket: ticketOf(name), report, frame: new Uint8Array() });
  await clock.run(() => false);
  const each = 3 * lookCost({ batches: 1, own: false }, 128, 640, false);
  expect(told.map(([ticket]) => ticket)).toEqual(["a", "b", "c"]);
  for (const [n, [, at]] of told.entries()) expect(at).toBeCloseTo((n + 1) * each);
  expect(audits.made).toBe(3);
});

test("the loss at a time is that of the newest version then", () => {
  const start = { volunteers: 16, seed: 1, waits: true, auditor: 1, watched: 60_000 };
  const versions = [3, 2, 1].map((loss, n) => ({ ms: 1_000 * (n + 1), tokens: 1, loss }));
  const started = { start, versions, audits: 0 };
  expect([999, 1_000, 2_500, 9_999].map((ms) => lossAt(started, ms))).toEqual([undefined, 3, 2, 1]);
});
