import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Overview } from "../../protocol/operator.ts";
import { advance, TestVolunteer, tinyRun } from "../../test/harness/tiny-run.ts";
import { metricsOf } from "./metrics.ts";

const OVERVIEW: Omit<Overview, "operator"> = {
  state: "running",
  draining: false,
  here: { device: { phone: 1 }, browser: { Firefox: 1 }, backend: { wasm: 1 } },
  volunteers: [],
  staleness: [3, 1, 0, 0, 0],
  audits: { good: 4, bad: 1 },
  sharedAudits: { agreement: 6, server: 2, wrong: 3 },
  versions: [{ version: 1, at: 1, tokens: 10, deltas: 2, came: 2, ms: 1_500, loss: 3 }],
  heldOut: [],
  traffic: { up: 10, down: 20, upPerSecond: 1, downPerSecond: 2 },
  machine: {
    delayMs: { p50: 1, p99: 8 },
    memoryBytes: 1e8,
    upMs: 1,
    disk: { freeBytes: 1e9, totalBytes: 1e10 },
  },
  snapshots: [],
  tuning: { quorum: 1, leaseSeconds: 1, tokenBudget: 1, learningRate: 1, finalRate: 1 },
  sites: [{ origin: "https://blog.example", volunteers: 1, tickets: 1, tokens: 1 }],
  log: [],
  alerts: [],
};

async function scrape(): Promise<string> {
  const tiny = await tinyRun();
  await advance(await TestVolunteer.create(), tiny, 1);
  const status = tiny.run.status();
  const measured = {
    ...status,
    bytesPerToken: 2.5 / Math.LN2,
    heldOut: [{ version: 1, tokens: 10, loss: 3.5, right: 48 }],
    questions: { questions: 96, chance: 0.25 },
  };
  const refused = { ...measured, deltas: { merged: 2, refused: { stale: 5 } } };
  const audits = { workers: 2, done: 5, left: 1, failures: 3, waitedMs: 250, workedMs: 9_000 };
  return metricsOf(refused, OVERVIEW, { snapshots: 7 }, { work: { audits } });
}

it("is text that a Prometheus reads: each metric with help and type, and what only grows is a counter", async () => {
  const lines = (await scrape()).trim().split("\n");
  const types = new Map(
    lines.flatMap((line) => {
      const [, name, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
      return name === undefined || type === undefined ? [] : [[name, type] as const];
    }),
  );
  expect(types.size).toBeGreaterThan(20);
  for (const [name, type] of types) {
    expect(lines.some((line) => line.startsWith(`# HELP ${name} `))).toBe(true);
    expect(type, name).toBe(name.endsWith("_total") ? "counter" : "gauge");
  }
  for (const line of lines.filter((one) => one !== "" && !one.startsWith("#"))) {
    expect(line).toMatch(/^murmuration_\w+(?:\{\w+="[\w-]+"\})? -?[\d.e+-]+$/);
  }
  expect(lines).toContain('murmuration_deltas_refused_total{code="stale"} 5');
  expect(lines).toContain('murmuration_object_bytes_sent_total{kind="snapshots"} 7');
  expect(lines).toContain("murmuration_version_seconds 1.5");
  expect(lines).toContain('murmuration_shared_audits_total{settled_by="server"} 2');
  expect(lines).toContain("murmuration_wrong_audits_total 3");
  expect(lines).toContain("murmuration_held_out_bits_per_byte 1.4");
  expect(lines).toContain("murmuration_questions_right_ratio 0.5");
  expect(lines).toContain("murmuration_questions_right_ratio_error 0.05");
  expect(lines).toContain("murmuration_questions_chance_ratio 0.25");
  expect(lines).toContain("murmuration_muon_inside 1");
  expect(lines).toContain("murmuration_steps_per_delta 2");
  expect(lines).toContain('murmuration_workers{task="audits"} 2');
  expect(lines).toContain('murmuration_worker_jobs_left_total{task="audits"} 1');
  expect(lines).toContain('murmuration_worker_wait_seconds_total{task="audits"} 0.25');
});

it("names no client, no address and no site in a label", async () => {
  const labels = new Set([...(await scrape()).matchAll(/\{(\w+)=/g)].map(([, label]) => label));
  expect([...labels].toSorted()).toEqual([
    ...["backend", "browser", "code", "kind", "settled_by", "task", "verdict", "versions_late"],
  ]);
});

it("has everything that deploy/grafana.json draws", async () => {
  const dashboard = readFileSync(join(import.meta.dirname, "../../deploy/grafana.json"), "utf8");
  const drawn = new Set(dashboard.match(/murmuration_\w+/g));
  expect(drawn.size).toBeGreaterThan(10);
  const text = await scrape();
  for (const name of drawn) expect(text, name).toContain(`# TYPE ${name} `);
});

it("with a mirror says which share of objects' bytes this server has sent itself", async () => {
  const tiny = await tinyRun();
  const text = metricsOf(
    tiny.run.status(),
    OVERVIEW,
    { snapshots: 30, diffs: 20 },
    { mirror: { mirrored: 950 } },
  );
  expect(text).toContain("murmuration_mirror_bytes_total 950\n");
  expect(text).toContain("murmuration_own_bytes_ratio 0.05\n");
  expect(metricsOf(tiny.run.status(), OVERVIEW)).not.toContain("mirror");
});
