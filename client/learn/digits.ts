/**
 * Handwritten digits as one small file: for each a byte with its label, then its 28 × 28 pixels, row by row,
 * two to a byte, the earlier in the high half. Sixteen greys are enough to read a digit.
 */
export const SIDE = 28;
export const PIXELS = SIDE * SIDE;
const LEVELS = 15;
const RECORD = 1 + PIXELS / 2;

export interface Digits {
  readonly count: number;
  /** [count, 784], 0 (paper) to 1 (ink). */
  readonly pixels: Float32Array;
  /** [count], 0 to 9. */
  readonly labels: Uint8Array;
}

/** The file of these digits. Pixels outside 0 to 1 are a RangeError, and so are labels that are no digit. */
export function packDigits({ count, pixels, labels }: Digits): Uint8Array<ArrayBuffer> {
  const packed = new Uint8Array(count * RECORD);
  for (let digit = 0; digit < count; digit++) {
    const label = labels[digit] ?? -1;
    if (label < 0 || label > 9) throw new RangeError(`digit ${digit} has the label ${label}`);
    packed[digit * RECORD] = label;
    for (let at = 0; at < PIXELS; at++) {
      const pixel = pixels[digit * PIXELS + at] ?? Number.NaN;
      if (!(pixel >= 0 && pixel <= 1)) throw new RangeError(`digit ${digit} has a pixel of ${pixel}`);
      packed[digit * RECORD + 1 + (at >> 1)]! |= Math.round(pixel * LEVELS) << (at % 2 === 0 ? 4 : 0);
    }
  }
  return packed;
}

/** Reads what {@link packDigits} wrote. Throws a RangeError for another length or an unknown label. */
export function unpackDigits(packed: Uint8Array): Digits {
  const count = packed.length / RECORD;
  if (!Number.isInteger(count) || count === 0) throw new RangeError(`${packed.length} bytes hold no digits`);
  const pixels = new Float32Array(count * PIXELS);
  const labels = new Uint8Array(count);
  for (let digit = 0; digit < count; digit++) {
    const label = packed[digit * RECORD]!;
    if (label > 9) throw new RangeError(`digit ${digit} has the label ${label}`);
    labels[digit] = label;
    for (let at = 0; at < PIXELS; at++) {
      const pair = packed[digit * RECORD + 1 + (at >> 1)]!;
      pixels[digit * PIXELS + at] = (at % 2 === 0 ? pair >> 4 : pair & 15) / LEVELS;
    }
  }
  return { count, pixels, labels };
}

/** Digits `from` to `to` (left out), as views. */
export function sliceDigits({ pixels, labels }: Digits, from: number, to: number): Digits {
  return {
    count: to - from,
    pixels: pixels.subarray(from * PIXELS, to * PIXELS),
    labels: labels.subarray(from, to),
  };
}
