import { useState } from "preact/hooks";
import type uPlot from "uplot";
import type { RunStatus } from "../../protocol/status.ts";
import { colourOf } from "./canvas-style.ts";
import { formatFixed, formatLarge, formatLoss } from "./format.ts";
import { common } from "./strings.ts";
import { axisStyle, PlotFigure, usePlot } from "./use-plot.tsx";

type Curve = Pick<RunStatus, "heldOut" | "baselines" | "bytesPerToken">;

export interface LossChartProps {
  /** Called for what to draw; a signal read inside redraws the chart. */
  readonly curve: () => Curve | undefined;
}

/** The run's held-out loss over the tokens it learnt from, with what guessing costs as dashed lines. */
export function LossChart({ curve }: LossChartProps) {
  const [pointed, setPointed] = useState<string>();
  const points = curve()?.heldOut ?? [];
  const place = usePlot(
    {
      data: () => {
        const now = curve();
        return now && dataOf(now);
      },
      options: (holder) => optionsOf(holder, curve, setPointed),
    },
    points.length === 0,
  );

  if (points.length === 0) return <p class="wait">{common.chartWait}</p>;
  const first = points[0]!;
  const last = points[points.length - 1]!;
  return (
    <PlotFigure {...place} label={common.chartSummary(first.loss, last.loss, last.version)}>
      {pointed ?? common.baselinesHelp}
    </PlotFigure>
  );
}

function dataOf({ heldOut }: Curve): uPlot.AlignedData {
  return [heldOut.map((point) => point.tokens), heldOut.map((point) => point.loss)];
}

function optionsOf(
  holder: HTMLElement,
  curve: () => Curve | undefined,
  point: (line?: string) => void,
): Omit<uPlot.Options, "width" | "height"> {
  const axis = axisStyle(holder);
  const accent = colourOf(holder, "--accent");
  const ground = colourOf(holder, "--card");
  return {
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: { x: { time: false, range: rangeOfTokens }, y: { range: () => rangeOfLoss(curve()) } },
    axes: [
      { ...axis, size: 30, space: 70, values: (_, ticks) => ticks.map(formatLarge) },
      { ...axis, size: 34, space: 36, values: (_, ticks) => ticks.map((tick) => formatFixed(tick, 1)) },
    ],
    series: [{}, { stroke: accent, width: 2.25, points: { size: 6, fill: accent } }],
    hooks: {
      draw: [(plot) => drawBaselines(plot, curve(), { ink: axis.stroke, ground, font: axis.font })],
      setCursor: [
        (plot) => {
          const at = plot.cursor.idx;
          const found = at === null || at === undefined ? undefined : curve()?.heldOut[at];
          point(found === undefined ? undefined : pointLine(found, curve()?.bytesPerToken ?? null));
        },
      ],
    },
  };
}

function pointLine({ version, tokens, loss }: Curve["heldOut"][number], bytesPerToken: number | null) {
  return common.chartPoint(version, loss, common.bitsPerByte(loss, bytesPerToken), tokens);
}

function rangeOfTokens(_: uPlot, least: number | null, most: number | null): [number, number] {
  return [Math.min(least ?? 0, 0), Math.max(most ?? 1, 1)];
}

/** All baselines and the whole curve, with a little air. */
function rangeOfLoss(curve: Curve | undefined): [number, number] {
  if (curve === undefined) return [0, 1];
  const { uniform, unigram, bigram } = curve.baselines;
  const all = [uniform, unigram, bigram, ...curve.heldOut.map((point) => point.loss)];
  const least = Math.min(...all);
  const most = Math.max(...all);
  const air = 0.06 * (most - least || 1);
  return [least - air, most + 1.5 * air];
}

/** Dashed lines, each named at its right end: a legend would have to be looked up. */
function drawBaselines(
  plot: uPlot,
  curve: Curve | undefined,
  { ink, ground, font }: { readonly ink: string; readonly ground: string; readonly font: string },
): void {
  if (curve === undefined) return;
  const { ctx, bbox } = plot;
  const density = devicePixelRatio;
  ctx.save();
  ctx.fillStyle = ink;
  ctx.lineJoin = "round";
  ctx.font = font.replace(/^(\d+)px/, (_, size: string) => `${Number(size) * density}px`);
  ctx.textAlign = "right";
  ctx.textBaseline = "bottom";
  for (const name of ["uniform", "unigram", "bigram"] as const) {
    const y = Math.round(plot.valToPos(curve.baselines[name], "y", true));
    ctx.globalAlpha = 0.7;
    ctx.strokeStyle = ink;
    ctx.lineWidth = density;
    ctx.setLineDash([5 * density, 5 * density]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.globalAlpha = 1;
    ctx.setLineDash([]);
    // A rim in the ground's colour keeps the name readable where the curve passes behind it.
    const label = `${common[name]} ${formatLoss(curve.baselines[name])}`;
    const at = [bbox.left + bbox.width - 2 * density, y - 3 * density] as const;
    ctx.strokeStyle = ground;
    ctx.lineWidth = 4 * density;
    ctx.strokeText(label, ...at);
    ctx.fillText(label, ...at);
  }
  ctx.restore();
}
