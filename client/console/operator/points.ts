import type uPlot from "uplot";
import type { Overview } from "../../../protocol/operator.ts";

/** A curve's axis: tokens merged, or milliseconds served. */
export type Axis = "tokens" | "time";

const placeOn =
  (axis: Axis) =>
  ({ tokens, at }: { readonly tokens: number; readonly at: number }): number =>
    axis === "tokens" ? tokens : at;

/**
 * Held-out loss and the volunteers' own, in nats a token. Both have points of their own: uPlot wants one axis, so each
 * place is in it, with gaps.
 */
export function lossesOver(
  axis: Axis,
  { heldOut, versions }: Pick<Overview, "heldOut" | "versions">,
): uPlot.AlignedData {
  const place = placeOn(axis);
  const measured = new Map(heldOut.map((point) => [place(point), point.loss]));
  const reported = new Map(versions.map((point) => [place(point), point.loss]));
  const places = [...new Set([...measured.keys(), ...reported.keys()])].sort((a, b) => a - b);
  return [places, places.map((at) => measured.get(at)), places.map((at) => reported.get(at))];
}

/** Seconds from each version to the next. */
export function paceOver(axis: Axis, { versions }: Pick<Overview, "versions">): uPlot.AlignedData {
  return [versions.map(placeOn(axis)), versions.map(({ ms }) => ms / 1_000)];
}
