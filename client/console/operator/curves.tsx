import { signal } from "@preact/signals";
import type uPlot from "uplot";
import type { Overview } from "../../../protocol/operator.ts";
import { colourOf } from "../../ui/canvas-style.ts";
import { formatDuration, formatLarge, formatLoss } from "../../ui/format.ts";
import { axisStyle, PlotFigure, usePlot } from "../../ui/use-plot.tsx";
import { type Axis, lossesOver, paceOver } from "./points.ts";
import { text } from "./strings.ts";

const axis = signal<Axis>("tokens");

interface CurvesProps {
  readonly overview: () => Overview | undefined;
}

/** The axis of both curves. */
export function AxisChoice() {
  const choice = (value: Axis, label: string) => (
    <label>
      <input
        type="radio"
        name="axis"
        checked={axis.value === value}
        onChange={() => {
          axis.value = value;
        }}
      />
      {label}
    </label>
  );
  return (
    <fieldset class="axis">
      <legend class="visually-hidden">{text.axis}</legend>
      {choice("tokens", text.overTokens)}
      {choice("time", text.overTime)}
    </fieldset>
  );
}

/** Held-out loss, and what volunteers report of theirs. */
export function LossCurves({ overview }: CurvesProps) {
  const now = overview();
  const empty = (now?.versions.length ?? 0) + (now?.heldOut.length ?? 0) === 0;
  const place = usePlot(
    {
      data: () => {
        const now = overview();
        return now && lossesOver(axis.value, now);
      },
      options: (holder) => optionsOf(holder, (value) => value.toFixed(1), ["--accent", "--warm-line"]),
    },
    `${axis.value} ${empty}`,
  );
  if (empty) return <p class="wait">{text.chartWait}</p>;
  const last = now?.heldOut.at(-1);
  const newest = now?.versions.at(-1);
  const said = (value: { readonly loss: number } | undefined) => (value ? formatLoss(value.loss) : "–");
  return (
    <PlotFigure {...place} label={text.curveSummary(said(last), said(newest))}>
      <span class="key held-out">{text.seriesHeldOut}</span>
      <span class="key volunteers">{text.seriesVolunteers}</span>
    </PlotFigure>
  );
}

/** Seconds from each version to the next. */
export function PaceCurve({ overview }: CurvesProps) {
  const versions = overview()?.versions ?? [];
  const place = usePlot(
    {
      data: () => {
        const now = overview();
        return now && paceOver(axis.value, now);
      },
      options: (holder) => optionsOf(holder, (value) => `${value}`, ["--accent"]),
    },
    `${axis.value} ${versions.length === 0}`,
  );
  if (versions.length === 0) return <p class="wait">{text.chartWait}</p>;
  return (
    <PlotFigure {...place} label={text.paceSummary(formatDuration(versions.at(-1)?.ms ?? 0))}>
      {text.seriesPace}
    </PlotFigure>
  );
}

function optionsOf(
  holder: HTMLElement,
  format: (value: number) => string,
  colours: readonly `--${string}`[],
): Omit<uPlot.Options, "width" | "height"> {
  const style = axisStyle(holder);
  const label = axis.value === "tokens" ? formatLarge : formatDuration;
  return {
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false } },
    axes: [
      { ...style, size: 30, space: 80, values: (_, ticks) => ticks.map((tick) => label(tick)) },
      { ...style, size: 40, space: 36, values: (_, ticks) => ticks.map(format) },
    ],
    series: [
      {},
      ...colours.map((colour) => ({
        stroke: colourOf(holder, colour),
        width: 2,
        spanGaps: true,
        points: { show: false },
      })),
    ],
  };
}
