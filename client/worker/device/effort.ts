import type { ModelShape } from "../../../model/contract/config.ts";
import { layoutOf } from "../../../model/contract/layout.ts";

/** Sequences in a micro-batch until a ticket asks for more: the default of a run. */
const USUAL_BATCH = 4;
/** Floating-point operations of a step that a device is tried with, unless one sequence takes more: a minute where it is slow. */
const MAX_TRIED = 1e11;
/** Operations in a millisecond of a device that is still waited for: a software adapter's, with others on the machine. */
const SLOWEST = 1e6;

/** Milliseconds for a step or a reading of a small model: most leases are shorter, so a device that takes longer has hung. */
const CALL_MS = 120_000;
/** Steps that a reading waits for: as many are on the device at once where each takes long. */
const STEPS_AWAITED = 2;

/** Operations of a step on one sequence: two a parameter and token forward, and four backward. */
const stepOf = (shape: ModelShape): number => 6 * layoutOf(shape).length * shape.context;

/** Sequences in a micro-batch that devices are tried with: fewer of a large model, of which four would take most of them minutes. */
export const triedBatch = (shape: ModelShape): number =>
  Math.max(1, Math.min(USUAL_BATCH, Math.floor(MAX_TRIED / stepOf(shape))));

/** Milliseconds that this many sequences take where the device is slow and not hung. */
export const slowMs = (shape: ModelShape, batch: number): number => (batch * stepOf(shape)) / SLOWEST;

/** Milliseconds after which a device that trains this many sequences a step, and has not answered, is a lost one. */
export const callMs = (shape: ModelShape, batch: number): number =>
  CALL_MS + STEPS_AWAITED * slowMs(shape, batch);
