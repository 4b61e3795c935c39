/** The small network's measures, which its Worker, its page and the build share. */

/** Where the digits lie beside the pages, gzipped. */
export const DIGITS_FILE = "how/digits.bin.gz";
export const TRAINED_ON = 4_000;
/** Digits that are only ever asked about. */
export const HELD_OUT = 500;

export const FILTERS = 8;
/** Pixels along a filter's edge. */
export const WINDOW = 5;
/** Places along an edge at which a filter lies on a digit: 28 − 5 + 1. */
export const MAP = 24;
/** Of each two by two places only the strongest answer is kept. */
export const POOLED = MAP / 2;
export const DIGIT_KINDS = 10;
export const NUMBERS = FILTERS * (WINDOW ** 2 + 1) + (FILTERS * POOLED ** 2 + 1) * DIGIT_KINDS;

/** Digits in each training step. */
export const BATCH = 32;
/** Training steps after which it stops: every digit was seen eight times. */
export const LAST_STEP = (8 * TRAINED_ON) / BATCH;
