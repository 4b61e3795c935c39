import { ROUTES } from "../../protocol/routes.ts";
import type { RunStatus } from "../../protocol/status.ts";
import { formatCount, formatLarge } from "./format.ts";
import { LossChart } from "./loss-chart.tsx";
import { text } from "./strings.ts";
import type { RunWatch } from "./watch.ts";

/** What all volunteers together have reached: the curve, and what the model writes. */
export function RunPanel({ watch }: { readonly watch: RunWatch }) {
  const status = watch.status.value;
  if (status === undefined) return null;
  return (
    <>
      <section class="card" aria-labelledby="run-title">
        <h2 id="run-title">{text.heldOut}</h2>
        <p class="note">{text.heldOutHelp}</p>
        <LossChart curve={() => watch.status.value} />
        <dl class="facts">
          <Fact name={text.version} value={formatCount(status.version)} />
          <Fact name={text.volunteers} value={formatCount(status.volunteers)} />
          <Fact name={text.tokens} value={formatLarge(status.tokensMerged)} />
        </dl>
      </section>
      <Sample sample={status.sample} />
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

/** A stranger's model wrote it, so it is shown as plain text and called what it is. */
export function Sample({ sample }: Pick<RunStatus, "sample">) {
  return (
    <section class="card" aria-labelledby="sample-title">
      <h2 id="sample-title">{text.sample}</h2>
      {sample === null ? (
        <p class="wait">{text.sampleWait}</p>
      ) : (
        <figure class="sample">
          <blockquote>{sample.text.trim()}</blockquote>
          <figcaption>{text.sampleOf(sample.version)}</figcaption>
        </figure>
      )}
      <p class="note">
        <a href={ROUTES.latestSnapshot} download>
          {text.downloadModel}
        </a>{" "}
        ({text.downloadHelp})
      </p>
    </section>
  );
}
