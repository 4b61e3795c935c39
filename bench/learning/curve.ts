import type { Point } from "./job.ts";

/** A point of a curve before its loss is known. */
export type Version = Omit<Point, "loss">;

/** Nats a token of held-out text. */
export type Measure = (weights: Float32Array) => Promise<number>;

/** Chooses the versions of a run that are measured. */
export interface Curve {
  /** In order of time. */
  readonly points: readonly Point[];
  /** Whether all that was wanted of the run is known before its end. */
  readonly reached: boolean;
  /** Takes every version in order of time. Whoever calls it leaves `weights` as they are. */
  offer(version: Version, weights: Float32Array): Promise<void>;
  /** Takes the last version. */
  end(version: Version, weights: Float32Array): Promise<void>;
}

/** Points evenly over a run's tokens, the first version among them. */
export class EvenCurve implements Curve {
  readonly points: Point[] = [];
  readonly reached = false;
  readonly #every: number;
  readonly #measure: Measure;

  constructor(tokens: number, points: number, measure: Measure) {
    this.#every = tokens / points;
    this.#measure = measure;
  }

  async offer(version: Version, weights: Float32Array): Promise<void> {
    if (version.tokens < this.points.length * this.#every) return;
    this.points.push({ ...version, loss: await this.#measure(weights) });
  }

  async end(): Promise<void> {}
}
