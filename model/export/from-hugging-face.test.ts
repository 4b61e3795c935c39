import { describe, expect, it } from "vitest";
import { initialWeights } from "../contract/init.ts";
import { layoutOf } from "../contract/layout.ts";
import { fromHuggingFace, shapeOf } from "./from-hugging-face.ts";
import { huggingFaceFiles } from "./hugging-face.ts";

const SHAPE = { layers: 1, heads: 2, width: 4, context: 8, vocabulary: 256 };
const WEIGHTS = initialWeights(SHAPE, 3);
const files = new Map(
  huggingFaceFiles(SHAPE, WEIGHTS, new TextEncoder().encode("{}")).map(({ name, bytes }) => [name, bytes]),
);
const CONFIG = files.get("config.json")!;
const FILE = files.get("model.safetensors")!;
const config = (changes: Record<string, unknown>) =>
  new TextEncoder().encode(JSON.stringify({ ...JSON.parse(new TextDecoder().decode(CONFIG)), ...changes }));

/** The model of one config.json and one model.safetensors. */
const read = (json: Uint8Array, bytes: Uint8Array) =>
  fromHuggingFace(shapeOf(json), [{ name: "model.safetensors", bytes }]);

/** A safetensors file as other programs write it: names, types and order of their own. */
function safetensors(prefix: string, type: "F32" | "F16" | "BF16", extra: Record<string, unknown> = {}) {
  const header: Record<string, unknown> = {};
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const { name, shape, offset, length } of layoutOf(SHAPE).tensors.toReversed()) {
    const values = WEIGHTS.slice(offset, offset + length);
    const bytes =
      type === "F32"
        ? new Uint8Array(values.buffer)
        : type === "F16"
          ? new Uint8Array(new Float16Array(values).buffer)
          : new Uint8Array(Uint16Array.from(new Uint32Array(values.buffer), (bits) => bits >>> 16).buffer);
    header[prefix + name] = { dtype: type, shape, data_offsets: [at, at + bytes.length] };
    parts.push(bytes);
    at += bytes.length;
  }
  const json = new TextEncoder().encode(JSON.stringify({ ...header, ...extra }));
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(json.length), true);
  return new Uint8Array(Buffer.concat([length, json, ...parts]));
}

describe("a GPT-2 of Hugging Face's", () => {
  it("comes back as it was taken out, to the bit", () => {
    expect(read(CONFIG, FILE)).toEqual({ shape: SHAPE, weights: WEIGHTS });
    const pooled = Buffer.from(FILE); // whose slice() is a view of a larger buffer
    expect(read(CONFIG, pooled)).toEqual({ shape: SHAPE, weights: WEIGHTS });
  });

  it("is read under other programs' names and in other types", () => {
    const mask = { "h.0.attn.bias": { dtype: "U8", shape: [1, 1, 8, 8], data_offsets: [0, 64] } };
    expect(read(CONFIG, safetensors("transformer.", "F32", mask)).weights).toEqual(WEIGHTS);
    const half = read(CONFIG, safetensors("", "F16")).weights;
    expect(half).toEqual(WEIGHTS.map(Math.f16round));
    const brief = read(CONFIG, safetensors("", "BF16")).weights;
    expect(brief.every((value, i) => Math.abs(value - WEIGHTS[i]!) <= Math.abs(WEIGHTS[i]!) / 128)).toBe(
      true,
    );
  });

  it.each([
    ["another network", config({ model_type: "llama" }), FILE],
    ["another activation", config({ activation_function: "relu" }), FILE],
    ["another inner width", config({ n_inner: 5 }), FILE],
    ["heads that do not divide the width", config({ n_head: 3 }), FILE],
    ["no size", config({ n_layer: "two" }), FILE],
    ["a size that the tensors have not", config({ n_positions: 9 }), FILE],
    ["a layer that is not there", config({ n_layer: 2 }), FILE],
    ["a config that is no JSON", new Uint8Array([1]), FILE],
    ["no file", CONFIG, new Uint8Array()],
    ["a file cut short", CONFIG, FILE.slice(0, -4)],
    ["a header longer than the file", CONFIG, FILE.slice(0, 20)],
  ])("is refused with a typed error: %s", (_, json, file) => {
    expect(() => read(json, file)).toThrow(expect.objectContaining({ code: "bad-file" }));
  });

  it("is refused with a weight that is no number", () => {
    const broken = FILE.slice();
    new DataView(broken.buffer).setFloat32(broken.length - 4, Number.NaN, true);
    expect(() => read(CONFIG, broken)).toThrow(/finite/);
  });
});
