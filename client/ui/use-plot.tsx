import { useSignal, useSignalEffect } from "@preact/signals";
import type { ComponentChildren, RefObject, VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type uPlot from "uplot";
import { language } from "../language/current.ts";
import { colourOf } from "./canvas-style.ts";
import { fetchPart } from "./fetch-part.ts";
import { MissingPart } from "./lazy.tsx";
import { mendLanguage } from "./locale.ts";

/** Called again for every redraw; signals read inside ask for one. */
export interface PlotSource {
  readonly data: () => uPlot.AlignedData | undefined;
  /** Read once for each plot that is made: colours come from the holder's style. */
  readonly options: (holder: HTMLElement) => Omit<uPlot.Options, "width" | "height">;
}

export interface PlotPlace {
  /** For the element that holds the chart. */
  readonly box: RefObject<HTMLDivElement | null>;
  /** A notice where the chart could not be made; null where it could. */
  readonly missing: VNode | null;
}

/**
 * A chart in the element that gets the returned ref: loaded lazily, as wide as its container, made again when the
 * colour scheme, the language or `key` changes.
 */
export function usePlot({ data, options }: PlotSource, key: unknown): PlotPlace {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const again = useRef<() => void>(undefined);
  const failed = useSignal(false);

  useEffect(() => {
    let gone = false;
    const make = async () => {
      mendLanguage();
      const { default: Plot } = await fetchPart(() => import("uplot"));
      const holder = box.current;
      const now = data();
      if (gone || holder === null || now === undefined) return;
      plot.current?.destroy();
      const width = holder.clientWidth;
      plot.current = new Plot({ ...options(holder), width, height: heightOf(width) }, now, holder);
    };
    const resized = new ResizeObserver(() => {
      const width = box.current?.clientWidth ?? 0;
      if (width > 0) plot.current?.setSize({ width, height: heightOf(width) });
    });
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    const draw = () => {
      failed.value = false;
      make().catch((error: unknown) => {
        console.warn("murmuration: a chart could not be drawn", error);
        failed.value = !gone;
      });
    };
    again.current = draw;
    scheme.addEventListener("change", draw);
    if (box.current !== null) resized.observe(box.current);
    draw();
    return () => {
      gone = true;
      scheme.removeEventListener("change", draw);
      resized.disconnect();
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [key, language.value]);

  useSignalEffect(() => {
    const now = data();
    if (now !== undefined) plot.current?.setData(now);
  });

  return { box, missing: failed.value ? <MissingPart again={() => again.current?.()} /> : null };
}

interface PlotFigureProps extends PlotPlace {
  /** What the chart shows, in words. */
  readonly label: string;
  /** The caption. */
  readonly children: ComponentChildren;
}

/** Where {@link usePlot} draws. */
export function PlotFigure({ box, missing, label, children }: PlotFigureProps) {
  return (
    <figure class="chart">
      <div class="plot" hidden={missing !== null} ref={box} role="img" aria-label={label} />
      {missing}
      <figcaption>{children}</figcaption>
    </figure>
  );
}

/** Colours and fonts of an axis, in the holder's style. */
export function axisStyle(holder: HTMLElement) {
  const ink = colourOf(holder, "--muted");
  const font = `12px ${getComputedStyle(holder).fontFamily}`;
  const grid = { stroke: colourOf(holder, "--line"), width: 1 };
  return { stroke: ink, font, grid, ticks: { show: false } };
}

const heightOf = (width: number) => Math.round(Math.min(280, Math.max(190, width * 0.5)));
