import { windowsOf } from "../../model/data/batches.ts";
import { Random } from "../../model/lib/random.ts";

/**
 * The fixed slice of the held-out text that every version is measured on: at most `most` windows of `context`
 * tokens (each with the token after it), drawn by the seed without repetition, kept in the text's order. The
 * same text, seed and shape give the same slice, so losses of two versions compare.
 *
 * Throws a RangeError when the text has not one window.
 */
export function heldOutSlice(
  text: Uint16Array,
  context: number,
  most: number,
  seed: number,
): readonly Uint16Array[] {
  const windows = windowsOf(text.length, context);
  if (windows < 1) throw new RangeError(`${text.length} held-out tokens are under one context of ${context}`);
  const random = new Random(seed);
  const starts = Array.from({ length: windows }, (_, i) => i);
  const kept = Math.min(most, windows);
  for (let i = 0; i < kept; i++) {
    const j = i + random.below(windows - i);
    [starts[i], starts[j]] = [starts[j]!, starts[i]!];
  }
  return starts
    .slice(0, kept)
    .sort((a, b) => a - b)
    .map((window) => text.slice(window * context, (window + 1) * context + 1));
}

/** Lays windows side by side as a trainer takes them: [rows, context + 1], at most `batch` rows each. */
export function batched(
  windows: readonly Uint16Array[],
  batch: number,
): { rows: number; tokens: Uint16Array }[] {
  const batches = [];
  for (let at = 0; at < windows.length; at += batch) {
    const rows = windows.slice(at, at + batch);
    const tokens = new Uint16Array(rows.reduce((sum, row) => sum + row.length, 0));
    let offset = 0;
    for (const row of rows) {
      tokens.set(row, offset);
      offset += row.length;
    }
    batches.push({ rows: rows.length, tokens });
  }
  return batches;
}
