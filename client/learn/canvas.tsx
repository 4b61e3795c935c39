import { useEffect, useRef } from "preact/hooks";
import { colourOf } from "../ui/canvas-style.ts";
import { drawDigit, drawGrid, type Grid } from "./draw.ts";

export interface PictureProps extends Grid {
  /** None where what stands around it says it already. */
  readonly label?: string;
  /** Whether values below 0 mean something, as in a filter. */
  readonly signed?: boolean;
}

/** A grid of numbers as a picture, drawn again when they change. */
export function Picture({ values, width, height, label, signed = false }: PictureProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const target = canvas.current;
    const context = target?.getContext("2d");
    if (!target || !context) return;
    drawGrid(
      context,
      { values, width, height },
      colourOf(target, signed ? "--accent" : "--bird"),
      signed ? colourOf(target, "--bird-you") : undefined,
    );
  }, [values, width, height, signed]);
  return label === undefined ? (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: without a tabindex a canvas takes no focus
    <canvas ref={canvas} class="grid" aria-hidden="true" />
  ) : (
    <canvas ref={canvas} class="grid" role="img" aria-label={label} />
  );
}

/** A digit without anything on it. */
export function DigitPicture({ pixels, label }: { readonly pixels: Float32Array; readonly label: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const target = canvas.current;
    const context = target?.getContext("2d");
    if (target && context) drawDigit(context, pixels, colourOf(target, "--bird"), 1);
  }, [pixels]);
  return <canvas ref={canvas} class="grid" role="img" aria-label={label} />;
}
