/** Integers of a few bits each, one after another, low bits first, padded with zero bits to a byte. */

export const bytesFor = (count, width) => Math.ceil((count * width) / 8);

export function packBits(values, width) {
  const bytes = new Uint8Array(bytesFor(values.length, width));
  values.forEach((value, i) => {
    for (let bit = 0; bit < width; bit++) {
      if ((value >> bit) & 1) bytes[(i * width + bit) >> 3] |= 1 << ((i * width + bit) & 7);
    }
  });
  return bytes;
}

/** Reads `count` integers, and says whether the padding behind them is zero. */
export function unpackBits(bytes, count, width) {
  const bitAt = (at) => (bytes[at >> 3] >> (at & 7)) & 1;
  const values = new Uint16Array(count);
  for (let i = 0; i < count; i++) {
    for (let bit = 0; bit < width; bit++) values[i] |= bitAt(i * width + bit) << bit;
  }
  let padded = true;
  for (let at = count * width; at < 8 * bytes.length; at++) if (bitAt(at)) padded = false;
  return { values, padded };
}

/** The number that the low `width` bits are in two's complement. */
export const signed = (value, width) => (value >= 2 ** (width - 1) ? value - 2 ** width : value);
