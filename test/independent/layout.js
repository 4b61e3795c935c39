import { bytesToFloats, concat, floatsToBytes, sha256, utf8 } from "./bytes.js";
import { Random } from "./random.js";

/** The flat vector, its file and its beginning: rules L1, H1 and L6 of docs/PROTOCOL.md. */

/** The tensors in their order, and the number of values. */
export function layoutOf({ layers, width, context, vocabulary }) {
  const tensors = [];
  let length = 0;
  const add = (name, ...shape) => {
    const count = shape.reduce((product, side) => product * side, 1);
    tensors.push({ name, shape, offset: length, length: count });
    length += count;
  };
  add("wte.weight", vocabulary, width);
  add("wpe.weight", context, width);
  for (let i = 0; i < layers; i++) {
    add(`h.${i}.ln_1.weight`, width);
    add(`h.${i}.ln_1.bias`, width);
    add(`h.${i}.attn.c_attn.weight`, width, 3 * width);
    add(`h.${i}.attn.c_attn.bias`, 3 * width);
    add(`h.${i}.attn.c_proj.weight`, width, width);
    add(`h.${i}.attn.c_proj.bias`, width);
    add(`h.${i}.ln_2.weight`, width);
    add(`h.${i}.ln_2.bias`, width);
    add(`h.${i}.mlp.c_fc.weight`, width, 4 * width);
    add(`h.${i}.mlp.c_fc.bias`, 4 * width);
    add(`h.${i}.mlp.c_proj.weight`, 4 * width, width);
    add(`h.${i}.mlp.c_proj.bias`, width);
  }
  add("ln_f.weight", width);
  add("ln_f.bias", width);
  return { tensors, length };
}

/** The tensors of a flat vector by name: views, not copies. */
export function viewsOf(layout, flat) {
  return Object.fromEntries(
    layout.tensors.map(({ name, offset, length }) => [name, flat.subarray(offset, offset + length)]),
  );
}

/** What stands before the vector in a version's file. */
function headerOf(layout) {
  const entries = layout.tensors.map(({ name, shape, offset, length }) => {
    const offsets = [4 * offset, 4 * (offset + length)].join(",");
    return `"${name}":{"dtype":"F32","shape":[${shape.join(",")}],"data_offsets":[${offsets}]}`;
  });
  const json = `{"__metadata__":{"format":"pt"},${entries.join(",")}}`;
  const padded = utf8(json.padEnd(Math.ceil(json.length / 8) * 8, " "));
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(padded.length), true);
  return concat(length, padded);
}

export const fileOf = (layout, flat) => concat(headerOf(layout), floatsToBytes(flat));

export const hashOf = (layout, flat) => sha256(fileOf(layout, flat));

/** The flat vector of a version's file. Throws where the header is another model's. */
export function readFile(layout, bytes) {
  const header = headerOf(layout);
  if (bytes.length !== header.length + 4 * layout.length || !header.every((byte, i) => bytes[i] === byte)) {
    throw new Error("not a file of this model");
  }
  return bytesToFloats(bytes.subarray(header.length));
}

/** The weights of version 0. */
export function initialWeights(shape, seed) {
  const layout = layoutOf(shape);
  const random = new Random(seed);
  const weights = new Float32Array(layout.length);
  for (const { name, offset, length } of layout.tensors) {
    if (name.endsWith(".bias")) continue;
    if (/ln_.\.weight$/.test(name)) {
      weights.fill(1, offset, offset + length);
      continue;
    }
    const shrunk = name.endsWith("c_proj.weight") ? 0.02 / Math.sqrt(2 * shape.layers) : 0.02;
    const deviation = name === "wpe.weight" ? 0.01 : shrunk;
    for (let i = offset; i < offset + length; i++) {
      let sum = 0;
      for (let draw = 0; draw < 6; draw++) {
        const value = random.u32();
        sum += (value & 0xffff) + (value >>> 16);
      }
      weights[i] = ((sum - 393_210) / 65_536) * deviation;
    }
  }
  return weights;
}
