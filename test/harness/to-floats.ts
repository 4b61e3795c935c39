/** A copy of `bytes` as f32, whatever their alignment. `bytes.length` must be a multiple of 4. */
export const toFloats = (bytes: Uint8Array): Float32Array<ArrayBuffer> =>
  new Float32Array(bytes.slice().buffer);
