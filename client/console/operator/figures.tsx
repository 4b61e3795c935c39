import type { Overview } from "../../../protocol/operator.ts";
import type { RunStatus } from "../../../protocol/status.ts";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatLarge,
  formatLoss,
  formatProbability,
} from "../../ui/format.ts";
import { Figure, lossHelp } from "../parts.tsx";
import { text } from "./strings.ts";
import { Bars, rowsOf } from "./tallies.tsx";

/** What the run came to so far. */
export function Figures({ overview, status }: { readonly overview: Overview; readonly status: RunStatus }) {
  const last = status.heldOut.at(-1);
  const { added } = overview.heldOut.at(-1) ?? {};
  const heldOutHelp = lossHelp(status) + (added === undefined ? "" : text.onAdded(formatLoss(added)));
  const newest = overview.versions.at(-1);
  const refused = Object.values(status.deltas.refused).reduce((sum, times) => sum + times, 0);
  const share = status.tokenBudget > 0 ? status.tokensMerged / status.tokenBudget : 0;
  return (
    <dl class="figures">
      <Figure name={text.heldOut} value={last ? formatLoss(last.loss) : "–"} help={heldOutHelp} />
      <Figure
        name={text.version}
        value={formatCount(status.version)}
        help={text.versionHelp(newest ? formatDuration(newest.ms) : "–")}
      />
      <Figure name={text.volunteers} value={formatCount(status.volunteers)} help={text.volunteersHelp} />
      <Figure name={text.speed} value={formatLarge(status.tokensPerSecond)} help={text.speedHelp} />
      <Figure
        name={text.tokens}
        value={formatLarge(status.tokensMerged)}
        help={text.budget(formatProbability(share), formatLarge(status.tokenBudget))}
      />
      <Figure
        name={text.refused}
        value={formatCount(refused)}
        help={text.refusedHelp(formatCount(status.deltas.merged))}
      />
      <Figure
        name={text.audits}
        value={formatCount(overview.audits.good)}
        help={text.auditsHelp(overview.audits.bad, overview.sharedAudits)}
      />
    </dl>
  );
}

/** What the volunteers of the last minute train with. */
export function Here({ overview: { here } }: { readonly overview: Overview }) {
  if (Object.keys(here.browser).length === 0) return <p class="wait">{text.noneHere}</p>;
  return (
    <div class="tallies">
      <Bars title={text.byDevice} rows={rowsOf(here.device)} />
      <Bars title={text.byBrowser} rows={rowsOf(here.browser)} />
      <Bars title={text.byBackend} rows={rowsOf(here.backend)} />
    </div>
  );
}

/** The server's traffic, delay, memory and disk. */
export function Server({ overview: { traffic, machine } }: { readonly overview: Overview }) {
  const { delayMs, memoryBytes, disk, upMs } = machine;
  const rate = (bytes: number) => text.perSecond(formatBytes(bytes));
  return (
    <dl class="figures">
      <Figure name={text.sent} value={formatBytes(traffic.down)} help={rate(traffic.downPerSecond)} />
      <Figure name={text.received} value={formatBytes(traffic.up)} help={rate(traffic.upPerSecond)} />
      <Figure
        name={text.delay}
        value={`${delayMs.p99.toFixed(1)} ms`}
        help={text.delayHelp(`${delayMs.p50.toFixed(1)} ms`)}
      />
      <Figure name={text.memory} value={formatBytes(memoryBytes)} help="" />
      <Figure
        name={text.disk}
        value={formatBytes(disk.freeBytes)}
        help={text.diskOf(formatBytes(disk.totalBytes))}
      />
      <Figure name={text.up} value={formatDuration(upMs)} help="" />
    </dl>
  );
}
