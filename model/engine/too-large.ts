import { ModelError, type ModelShape } from "../contract/config.ts";

/** That a model does not fit, and what it takes to say what would (levels.ts). */
export class TooLarge extends ModelError {
  readonly shape: ModelShape;
  /** What to shrink. */
  readonly side: "context" | "width";
  readonly fits: (shape: ModelShape) => boolean;

  constructor(message: string, shape: ModelShape, side: TooLarge["side"], fits: TooLarge["fits"]) {
    super("device-limit", message);
    this.shape = shape;
    this.side = side;
    this.fits = fits;
  }
}
