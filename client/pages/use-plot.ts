import { useSignalEffect } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type uPlot from "uplot";

/** Called again for every redraw; signals read inside ask for one. */
export interface PlotSource {
  readonly data: () => uPlot.AlignedData | undefined;
  /** Read once for each plot that is made: colours come from the holder's style. */
  readonly options: (holder: HTMLElement) => Omit<uPlot.Options, "width" | "height">;
}

/**
 * A chart in the element that gets the returned ref: loaded lazily, as wide as its holder, made anew when the
 * colour scheme changes or `key` does.
 */
export function usePlot({ data, options }: PlotSource, key: unknown): RefObject<HTMLDivElement | null> {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);

  useEffect(() => {
    let gone = false;
    const make = async () => {
      const { default: Plot } = await import("uplot");
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
    const recolour = () => void make();
    scheme.addEventListener("change", recolour);
    if (box.current !== null) resized.observe(box.current);
    void make();
    return () => {
      gone = true;
      scheme.removeEventListener("change", recolour);
      resized.disconnect();
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [key]);

  useSignalEffect(() => {
    const now = data();
    if (now !== undefined) plot.current?.setData(now);
  });

  return box;
}

const heightOf = (width: number) => Math.round(Math.min(280, Math.max(190, width * 0.5)));
