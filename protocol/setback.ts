import type { HeldOutPoint } from "./status.ts";

/** A run whose measured loss has stayed above what it once was, or above what guessing costs. */
export interface Setback {
  readonly kind: "worse" | "guessing";
  /** Nats a token: what more than half of the newest measurements reach at least. */
  readonly loss: number;
  /** The same where it was lowest, and the version in the middle of those. */
  readonly best: { readonly version: number; readonly loss: number };
}

/** Measurements that are looked at together, of which more than half must be worse: single versions of a small swarm come out a third worse now and then. */
const LASTING = 8;
/** The part by which the loss must lie above the best: so many together differ by less by chance. */
const WORSE = 0.05;
/** Part above the loss of guessing that counts as worse: a random initialisation costs a little more than guessing. */
const GUESSING = 0.02;

/**
 * Whether a run gets worse, told by the server's own held-out measurements (oldest first) and nothing that a volunteer
 * says. `uniform` is what guessing costs, nats a token.
 */
export function setbackOf(heldOut: readonly HeldOutPoint[], uniform: number): Setback | undefined {
  if (heldOut.length < LASTING) return undefined;
  const together = heldOut.slice(LASTING - 1).map((_, i) => medianOf(heldOut.slice(i, i + LASTING)));
  const best = together.reduce((least, point) => (point.loss < least.loss ? point : least));
  const { loss } = together.at(-1) ?? best;
  if (loss > uniform * (1 + GUESSING)) return { kind: "guessing", loss, best };
  return loss > best.loss * (1 + WORSE) ? { kind: "worse", loss, best } : undefined;
}

/** The lower median of this many measurements, and the version in the middle of them. */
function medianOf(points: readonly HeldOutPoint[]): Setback["best"] {
  const losses = points.map(({ loss }) => loss).sort((a, b) => a - b);
  const middle = (points.length - 1) >> 1;
  return { version: points[middle]?.version ?? 0, loss: losses[middle] ?? 0 };
}
