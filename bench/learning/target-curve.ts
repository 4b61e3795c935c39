import type { Curve, Measure, Version } from "./curve.ts";
import type { Point } from "./job.ts";

/** Parts of the run's time between two measured points, where the loss is far above all targets and where it is near one. */
const FAR_STRIDE = 0.3;
const NEAR_STRIDE = 0.1;
/** Part of the run's time between two versions whose weights are kept, to be measured later. */
const KEEP_STRIDE = 0.01;
/** Part of the run's time that brackets a crossing closely enough; a third less than {@link MAX_GAP}. */
const FINE_GAP = 0.02;
/** Part of the run's time that a time to a loss may be interpolated over. */
export const MAX_GAP = 0.03;

/** Nats above a target from which on the loss is near it. */
const NEAR = 0.2;

interface Kept {
  readonly version: Version;
  readonly weights: Float32Array;
}

/** The part of the run's time, up to the later one, that lies between two of its versions. */
export const gapOf = (earlier: { readonly ms: number }, later: { readonly ms: number }): number =>
  1 - earlier.ms / later.ms;

/**
 * A curve that is fine where it comes down to a target and coarse elsewhere, since each point costs as much computing
 * as some steps of training. Weights since the last point are kept; where a point lies below a target and the one
 * before above it, those between are measured, by bisection, until two within {@link FINE_GAP} lie on either side.
 */
export class TargetCurve implements Curve {
  readonly points: Point[] = [];
  readonly #measure: Measure;
  /** Those that the loss has not been down to. */
  #targets: readonly number[];
  readonly #toTheEnd: boolean;
  #kept: Kept[] = [];

  /** `targets` in nats; with "end" among them it is not {@link Curve.reached} however low the loss is. */
  constructor(targets: readonly (number | "end")[], measure: Measure) {
    this.#targets = targets.filter((target) => target !== "end");
    this.#toTheEnd = targets.includes("end");
    this.#measure = measure;
  }

  get reached(): boolean {
    return this.#targets.length === 0 && !this.#toTheEnd;
  }

  async offer(version: Version, weights: Float32Array): Promise<void> {
    const last = this.points.at(-1);
    if (last === undefined || gapOf(last, version) >= this.#stride(last)) {
      await this.end(version, weights);
    } else if (gapOf(this.#kept.at(-1)?.version ?? last, version) >= KEEP_STRIDE) {
      this.#kept.push({ version, weights });
    }
  }

  async end(version: Version, weights: Float32Array): Promise<void> {
    const before = this.points.at(-1);
    if (before?.version === version.version) return;
    const after = await this.#add({ version, weights });
    for (const target of this.#targets) {
      if (before !== undefined && after.loss <= target) await this.#bisect(target, before, after);
    }
    this.#targets = this.#targets.filter((target) => after.loss > target);
    this.#kept = [];
  }

  #stride({ loss }: Point): number {
    return this.#targets.some((target) => loss - target < NEAR) ? NEAR_STRIDE : FAR_STRIDE;
  }

  async #bisect(target: number, before: Point, after: Point): Promise<void> {
    let between = this.#kept;
    let [above, below] = [before, after];
    while (between.length > 0 && gapOf(above, below) > FINE_GAP) {
      const middle = between.length >> 1;
      const point = await this.#add(between[middle]!);
      if (point.loss > target) above = point;
      else below = point;
      between = point.loss > target ? between.slice(middle + 1) : between.slice(0, middle);
    }
  }

  async #add({ version, weights }: Kept): Promise<Point> {
    const known = this.points.find((point) => point.version === version.version);
    if (known !== undefined) return known; // bisected for another target
    const point = { ...version, loss: await this.#measure(weights) };
    this.points.splice(this.points.filter(({ ms }) => ms <= version.ms).length, 0, point);
    return point;
  }
}

/** Where a curve first comes down to a loss. */
export interface Crossing {
  /** Virtual milliseconds, and tokens merged: between the points around it by a straight line. */
  readonly ms: number;
  readonly tokens: number;
  /** The part of the time until then that the line spans; 1 where the first point is below already. */
  readonly gap: number;
}

/** Undefined for a curve that stays above `loss`. */
export function crossingOf(points: readonly Point[], loss: number): Crossing | undefined {
  const index = points.findIndex((point) => point.loss <= loss);
  const [after, before] = [points[index], points[index - 1]];
  if (after === undefined) return undefined;
  if (before === undefined) return { ms: after.ms, tokens: after.tokens, gap: 1 };
  const part = (before.loss - loss) / (before.loss - after.loss);
  const between = (from: number, to: number) => from + part * (to - from);
  return {
    ms: between(before.ms, after.ms),
    tokens: Math.round(between(before.tokens, after.tokens)),
    gap: gapOf(before, after),
  };
}
