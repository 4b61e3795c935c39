import { SIDE } from "./digits.ts";

/** Small pictures of numbers on canvases, one pixel for each number; the style sheet makes them larger. */
export interface Grid {
  /** [height, width] */
  readonly values: Float32Array;
  readonly width: number;
  readonly height: number;
}

/** Shades `colour` by how large a value is; where there is a second colour, that one by how far below 0. */
export function drawGrid(
  context: CanvasRenderingContext2D,
  { values, width, height }: Grid,
  colour: string,
  below?: string,
  upTo = values.length,
): void {
  const { canvas } = context;
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  context.clearRect(0, 0, width, height);
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
  for (let at = 0; at < upTo; at++) {
    const value = values[at]! / largest;
    if (value === 0 || (value < 0 && below === undefined)) continue;
    context.globalAlpha = Math.abs(value);
    context.fillStyle = value > 0 ? colour : (below ?? colour);
    context.fillRect(at % width, Math.floor(at / width), 1, 1);
  }
  context.globalAlpha = 1;
}

/** The digit under a window, sharp at any size: `scale` canvas pixels for each of its own. */
export function drawDigit(
  context: CanvasRenderingContext2D,
  pixels: Float32Array,
  ink: string,
  scale: number,
  window?: { readonly row: number; readonly column: number; readonly side: number; readonly colour: string },
): void {
  const { canvas } = context;
  const size = SIDE * scale;
  if (canvas.width !== size) canvas.width = size;
  if (canvas.height !== size) canvas.height = size;
  context.clearRect(0, 0, size, size);
  context.fillStyle = ink;
  for (let at = 0; at < pixels.length; at++) {
    if (pixels[at] === 0) continue;
    context.globalAlpha = pixels[at]!;
    context.fillRect((at % SIDE) * scale, Math.floor(at / SIDE) * scale, scale, scale);
  }
  context.globalAlpha = 1;
  if (window === undefined) return;
  context.strokeStyle = window.colour;
  context.lineWidth = Math.max(2, scale / 4);
  const edge = window.side * scale;
  context.strokeRect(window.column * scale, window.row * scale, edge, edge);
}
