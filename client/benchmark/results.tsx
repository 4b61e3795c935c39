import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { formatBytes, formatCount, formatDuration, formatLarge } from "../ui/format.ts";
import type { Results } from "./bench.ts";
import type { Contender, GemmSpeed, Row } from "./messages.ts";
import { CONTENDER, text } from "./strings.ts";
import { share } from "./verdict.ts";
import { BATCH, CONFIGS } from "./workload.ts";

export function Card({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <section class="card">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

interface FactProps {
  readonly name: string;
  readonly value: string;
  readonly help?: readonly (string | null)[];
}

function Fact({ name, value, help = [] }: FactProps) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {value}
        {help.map((line) => line !== null && <small key={line}>{line}</small>)}
      </dd>
    </div>
  );
}

const speed = (flops: number) => `${formatLarge(flops)}FLOP/s`;

/** One trainer's figures. */
export function RowCard({ row }: { readonly row: Row }) {
  const { peak, products, dispatches, bytes } = row;
  const ofPeak = peak === null ? null : text.ofPeak(share(row.flops / peak));
  return (
    <Card title={CONTENDER[row.contender]}>
      <p class="note">{row.detail}</p>
      <dl class="figures">
        <Fact name={text.tokens} value={formatLarge(row.tokensPerSecond)} />
        <Fact
          name={text.time}
          value={milliseconds(row.msPerStep)}
          help={[text.timeOf(row.steps, row.warmups)]}
        />
        <Fact
          name={text.flops}
          value={speed(row.flops)}
          help={[ofPeak, products === null ? null : text.products(speed(products))]}
        />
        {dispatches !== null && <Fact name={text.dispatches} value={formatCount(dispatches)} />}
        {bytes !== null && <Fact name={text.bytes} value={formatBytes(bytes)} help={[text.bytesHelp]} />}
        <Fact name={text.ready} value={formatDuration(row.startMs)} help={[text.readyHelp]} />
        <Fact name={text.loss} value={`${row.firstLoss.toFixed(4)} → ${row.lastLoss.toFixed(4)}`} />
      </dl>
    </Card>
  );
}

const milliseconds = (ms: number) => (ms < 100 ? `${ms.toFixed(1)} ms` : `${formatCount(ms)} ms`);

export function Gemm({ gemm }: { readonly gemm: GemmSpeed }) {
  return (
    <Card title={text.gemm}>
      <p class="note">
        {gemm.adapter} · {gemm.tile}
      </p>
      <dl class="figures">
        <Fact name={text.flops} value={speed(gemm.square)} />
      </dl>
      <p class="note">
        {text.gemmOf(gemm.side)} {gemm.software && text.gemmSoftware}
      </p>
    </Card>
  );
}

/** A contender that could not be measured, and why. */
export function Refused({ contender, why }: { readonly contender: Contender; readonly why: string }) {
  return (
    <Card title={CONTENDER[contender]}>
      <p>{why}</p>
    </Card>
  );
}

/** The results for a machine, with what a reader elsewhere needs to judge them. */
export function Json({ results }: { readonly results: Results }) {
  const copied = useSignal(false);
  const { config } = results;
  const browser = navigator.userAgent;
  const processors = navigator.hardwareConcurrency;
  const whole = { ...results, shape: CONFIGS[config], batch: BATCH, browser, processors };
  const json = JSON.stringify(whole, null, 2);
  const copy = async () => {
    await navigator.clipboard.writeText(json);
    copied.value = true;
  };
  return (
    <Card title={text.json}>
      <button type="button" onClick={() => void copy().catch(() => undefined)}>
        {copied.value ? text.copied : text.copy}
      </button>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard */}
      <pre tabIndex={0}>{json}</pre>
    </Card>
  );
}
