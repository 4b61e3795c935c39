import { here } from "../../../protocol/address.ts";
import { ROUTES } from "../../../protocol/routes.ts";
import type { RunStatus } from "../../../protocol/status.ts";
import { formatCount, formatLarge, formatLoss } from "../../ui/format.ts";
import { Lazy } from "../../ui/lazy.tsx";
import { SamplePair } from "../../ui/samples.tsx";
import { common } from "../../ui/strings.ts";
import type { RunWatch } from "../../ui/watch.ts";
import { text } from "../strings.ts";

/** Beside the library that draws it, which is not wanted before there is something to draw either. */
const loadChart = async () => (await import("../../ui/loss-chart.tsx")).LossChart;

/** The run's progress: the curve, and samples of the model's text. */
export function RunPanel({ watch }: { readonly watch: RunWatch }) {
  const status = watch.status.value;
  if (status === undefined) return null;
  const crowd = status.rounds?.lately?.crowd;
  const last = status.heldOut.at(-1);
  const bits = common.bitsPerByte(last?.loss ?? 0, status.bytesPerToken);
  return (
    <>
      <section class="card" aria-labelledby="run-title">
        <h2 id="run-title">{text.heldOut}</h2>
        <p class="note">
          {text.heldOutHelp}
          {last !== undefined && bits !== "" && text.heldOutNow(formatLoss(last.loss), bits)}
        </p>
        <div class="chart-place">
          <Lazy wanted load={loadChart} props={{ curve: () => watch.status.value }} />
        </div>
        <dl class="facts">
          <Fact name={common.version} value={formatCount(status.version)} />
          <Fact name={text.volunteers} value={formatCount(status.volunteers)} />
          <Fact name={text.tokens} value={formatLarge(status.tokensMerged)} />
        </dl>
        {status.state === "running" && (
          <p class="note">{status.rounds === null ? text.turns : text.rounds(status.rounds.ms)}</p>
        )}
        {status.state === "running" && crowd && <p class="note">{text.oneMore(crowd.oneMore)}</p>}
      </section>
      <Samples status={status} />
    </>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** Samples of an early version and the newest, side by side, with a link to the playground. */
function Samples({ status }: { readonly status: RunStatus }) {
  const { sample, samples } = status;
  return (
    <section class="card" aria-labelledby="sample-title">
      <h2 id="sample-title">{text.sample}</h2>
      <SamplePair newest={sample} early={samples} />
      <p class="note">
        <a href="./playground">{text.playgroundLink}</a>
      </p>
      <p class="note">
        <a href={here(ROUTES.latestSnapshot)} download>
          {text.downloadModel}
        </a>{" "}
        ({text.downloadHelp})
      </p>
    </section>
  );
}
