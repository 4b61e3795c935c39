/**
 * What browsers that share save the server, and what it costs their visitors: twelve pages of a real Chromium, then
 * simulated crowds of a thousand with the same scheduler. `--json`: the last line is one JSON object. `--simulated`
 * leaves the pages out; `--sizes` compares sizes of chunks and does nothing else.
 */
import { CHUNK_BYTES } from "../protocol/chunks.ts";
import { benchFlags } from "./lib/flags.ts";
import { crowd, leastMeanStart, seeded } from "./peers/crowds.ts";
import { SNAPSHOT_BYTES, visitInPages } from "./peers/pages.ts";
import { BUDGET, type Outcome, simulate } from "./peers/simulate.ts";

const flags = benchFlags({
  simulated: { type: "boolean", default: false },
  sizes: { type: "boolean", default: false },
});
const say = (line: string) => console.log(line);
const MBIT = 125_000;

/** Name, visitors, milliseconds they arrive in, and the server's uplink in Mbit/s. */
type Crowd = readonly [name: string, count: number, over: number, mbit: number];
const CROWDS: readonly Crowd[] = [
  ["a rush: 1,000 within a minute", 1_000, 60_000, 100],
  ["a day: 1,000 within half an hour", 1_000, 1_800_000, 100],
  ["a rush on a large server", 1_000, 60_000, 1_000],
];

const quantile = (values: readonly number[], part: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.floor(part * (sorted.length - 1))] ?? Number.NaN);
};
const mean = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;
const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;

function summary({ egress, took }: Outcome) {
  const done = took.filter((one) => one !== undefined);
  const [p50, p95] = [quantile(done, 0.5), quantile(done, 0.95)];
  return {
    copies: Number((egress / SNAPSHOT_BYTES).toFixed(2)),
    started: done.length,
    p50,
    p95,
    mean: Math.round(mean(done)),
  };
}

function simulated(size: number, [name, count, over, mbit]: Crowd) {
  const visitors = crowd(count, over, seeded(1));
  const server = mbit * MBIT;
  const run = (peers: boolean) =>
    simulate({ visitors, length: SNAPSHOT_BYTES, size, server, peers, random: seeded(2) });
  const shared = run(true);
  const [withPeers, alone] = [summary(shared), summary(run(false))];
  const finished = shared.took.map((one) => one !== undefined);
  const bound = Math.round(leastMeanStart(visitors, finished, SNAPSHOT_BYTES, server, BUDGET));
  say(`${name}, ${mbit} Mbit/s:`);
  for (const [label, row] of [
    ["with peers", withPeers],
    ["server only", alone],
  ] as const) {
    const { copies, started, p50, p95 } = row;
    say(
      `  ${label.padEnd(11)} ${copies} copies sent, ${started} started, median ${seconds(p50)}, 95% ${seconds(p95)}, mean ${seconds(row.mean)}`,
    );
  }
  say(`  no way of sharing has a mean below ${seconds(bound)}, or sends less than 1 copy`);
  return {
    ...{ crowd: name, volunteers: count, serverMbit: mbit, chunkKiB: size / 1_024 },
    egressFraction: Number((withPeers.copies / alone.copies).toFixed(4)),
    startRatio: Number((withPeers.p50 / alone.p50).toFixed(4)),
    ...{ withPeers, alone, leastMean: bound, leastCopies: 1 },
  };
}

if (flags.sizes) {
  const rows = [64, 128, 256].map((kib) => {
    say(`chunks of ${kib} KiB`);
    return simulated(kib * 1_024, ["300 within a minute", 300, 60_000, 100]);
  });
  if (flags.json) say(JSON.stringify({ sizes: rows }));
} else {
  const pages = flags.simulated ? undefined : await compareInPages();
  say("\nSimulated, 10 MB, links from 16/2 to 250/25 Mbit/s, who comes stays 5 minutes on average:");
  const rows = CROWDS.map((one) => simulated(CHUNK_BYTES, one));
  if (flags.json) say(JSON.stringify({ ...pages, simulated: rows }));
}

async function compareInPages() {
  say(
    "12 pages of a real Chromium within a minute, 10 MB, the server's uplink at 20 Mbit/s.\nWithout peers:",
  );
  const alone = await visitInPages(false, say);
  say("With peers:");
  const shared = await visitInPages(true, say);
  const [a, b] = [quantile(alone.took, 0.5), quantile(shared.took, 0.5)];
  const egressFraction = Number((shared.egress / alone.egress).toFixed(4));
  const startRatio = Number((b / a).toFixed(4));
  say(
    `The server sent ${(100 * egressFraction).toFixed(1)}% of it (its uplink carried ${(shared.uplink / 1e6).toFixed(1)} MB instead of ${(alone.uplink / 1e6).toFixed(1)} MB); median start ${seconds(b)} instead of ${seconds(a)}.`,
  );
  return { egressFraction, startRatio, medianStartMs: b, medianAloneMs: a };
}
