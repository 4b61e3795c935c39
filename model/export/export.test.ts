import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gguf } from "@huggingface/gguf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { initialWeights } from "../contract/init.ts";
import { layoutOf } from "../contract/layout.ts";
import { BYTE_CHARACTERS } from "../data/bytechars.ts";
import { decodeSafetensors } from "../data/safetensors.ts";
import { loadTokenizer } from "../data/tokenizer.ts";
import { encodeGguf } from "./gguf.ts";
import { encodeGpt2Gguf } from "./gpt2-gguf.ts";
import { huggingFaceFiles } from "./hugging-face.ts";

const SHAPE = { layers: 2, heads: 2, width: 8, context: 16, vocabulary: 258 };
const WEIGHTS = initialWeights(SHAPE, 7);
const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
const names = [...BYTE_CHARACTERS, "th", "Ġa"];
const tokenizer = (changes: Record<string, unknown> = {}, vocab: readonly string[] = names) =>
  new TextEncoder().encode(
    JSON.stringify({
      version: "1.0",
      added_tokens: [],
      normalizer: null,
      pre_tokenizer: byteLevel,
      post_processor: null,
      decoder: byteLevel,
      model: {
        type: "BPE",
        vocab: Object.fromEntries(vocab.map((name, id) => [name, id])),
        merges: [["t", "h"], "Ġ a"],
      },
      ...changes,
    }),
  );

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "murmuration-gguf-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** The file as Hugging Face's own reader sees it. */
async function readBack(file: Uint8Array) {
  const path = join(folder, "model.gguf");
  await writeFile(path, file);
  return { ...(await gguf(path, { allowLocalFile: true })), file };
}

const encode = (type: "f32" | "f16" = "f32", file = tokenizer()) =>
  encodeGpt2Gguf({ name: "A run", shape: SHAPE, weights: WEIGHTS, tokenizer: file, type });

describe("GGUF", () => {
  it("says what llama.cpp asks of a GPT-2", async () => {
    const { metadata } = await readBack(encode());
    expect(metadata).toMatchObject({
      version: 3,
      "general.architecture": "gpt2",
      "general.name": "A run",
      "general.file_type": 0,
      "gpt2.context_length": 16,
      "gpt2.embedding_length": 8,
      "gpt2.feed_forward_length": 32,
      "gpt2.block_count": 2,
      "gpt2.attention.head_count": 2,
      "gpt2.attention.layer_norm_epsilon": Math.fround(1e-5),
      "tokenizer.ggml.model": "gpt2",
      "tokenizer.ggml.pre": "gpt-2",
      "tokenizer.ggml.tokens": names,
      "tokenizer.ggml.token_type": new Array(258).fill(1),
      "tokenizer.ggml.merges": ["t h", "Ġ a"],
      "tokenizer.ggml.bos_token_id": 0xff,
      "tokenizer.ggml.eos_token_id": 0xff,
      "tokenizer.ggml.add_bos_token": false,
    });
  });

  it.each(["f32", "f16"] as const)("holds every weight, linear ones transposed, as %s", async (type) => {
    const { tensorInfos, tensorDataOffset, file } = await readBack(encode(type));
    const layout = layoutOf(SHAPE);
    expect(tensorInfos).toHaveLength(layout.tensors.length);
    const read = (name: string) => {
      const info = tensorInfos.find((one) => one.name === name);
      if (info === undefined) throw new Error(`there is no ${name}`);
      const start = Number(tensorDataOffset) + Number(info.offset);
      const count = info.shape.reduce((product, side) => product * Number(side), 1);
      expect(start % 32).toBe(0);
      const kind = info.dtype === 0 ? Float32Array : Float16Array;
      const values = Array.from(new kind(file.slice(start, start + count * kind.BYTES_PER_ELEMENT).buffer));
      return { sides: info.shape.map(Number), values, half: info.dtype === 1 };
    };
    const ours = (name: string) => {
      const tensor = layout.tensors.find((one) => one.name === name);
      if (tensor === undefined) throw new Error(`there is no ${name}`);
      return Array.from(WEIGHTS.subarray(tensor.offset, tensor.offset + tensor.length));
    };
    const stored = (values: number[]) => (type === "f32" ? values : values.map(Math.f16round));

    expect(read("token_embd.weight")).toMatchObject({ sides: [8, 258], values: stored(ours("wte.weight")) });
    expect(read("position_embd.weight")).toMatchObject({ values: ours("wpe.weight"), half: false });
    expect(read("output_norm.bias")).toMatchObject({ sides: [8], values: ours("ln_f.bias"), half: false });
    const linear = ours("h.1.mlp.c_fc.weight"); // [8, 32]
    const turned = Array.from({ length: 32 * 8 }, (_, i) => linear[(i % 8) * 32 + Math.floor(i / 8)]!);
    expect(read("blk.1.ffn_up.weight")).toEqual({
      sides: [8, 32],
      values: stored(turned),
      half: type === "f16",
    });
    expect(read("blk.1.ffn_down.bias").values).toEqual(ours("h.1.mlp.c_proj.bias"));
  });

  it("ends texts at the tokenizer's own special token, and fills rows without a token", async () => {
    const added = [{ id: 256, content: "<|endoftext|>", special: true }];
    const { metadata } = await readBack(
      encode("f32", tokenizer({ added_tokens: added }, [...BYTE_CHARACTERS])),
    );
    const found = new Map(Object.entries(metadata));
    expect(found.get("tokenizer.ggml.eos_token_id")).toBe(256);
    const tokens = found.get("tokenizer.ggml.tokens");
    expect(Array.isArray(tokens) && tokens.slice(256)).toEqual(["<|endoftext|>", "[unused257]"]);
    const types = found.get("tokenizer.ggml.token_type");
    expect(Array.isArray(types) && types.slice(255)).toEqual([1, 3, 5]);
  });

  it.each([
    ["<s> <pad> </s>", ["<s>", "<pad>", "</s>"], { begin: 0, end: 2, pad: 1 }],
    ["</s> <s>", ["</s>", "<s>"], { begin: 1, end: 0 }],
    ["<pad> <|endoftext|>", ["<pad>", "<|endoftext|>"], { begin: 1, end: 1, pad: 0 }],
    ["<|endoftext|>", ["<|endoftext|>"], { begin: 0, end: 0 }],
    ["[PAD] [UNK] [EOS]", ["[PAD]", "[UNK]", "[EOS]"], { end: 2, pad: 0 }],
    ["<pad> <unk>, none of which ends a text", ["<pad>", "<unk>"], { pad: 0 }],
  ])(
    "names the special tokens %s by what they mean, in GGUF and in config.json",
    async (_, contents, meant) => {
      const own: { begin?: number; end?: number; pad?: number } = meant;
      const added = contents.map((content, i) => ({ id: 256 + i, content, special: true }));
      const shape = { ...SHAPE, vocabulary: 259 };
      const weights = initialWeights(shape, 7);
      const file = tokenizer({ added_tokens: added }, [...BYTE_CHARACTERS]);
      const id = (place: number | undefined) => (place === undefined ? undefined : 256 + place);
      const { metadata } = await readBack(
        encodeGpt2Gguf({ name: "A run", shape, weights, tokenizer: file, type: "f32" }),
      );
      const found = new Map(Object.entries(metadata));
      const end = id(own.end) ?? 0xff; // a byte that no text has
      expect(found.get("tokenizer.ggml.eos_token_id")).toBe(end);
      expect(found.get("tokenizer.ggml.bos_token_id")).toBe(id(own.begin) ?? end);
      expect(found.get("tokenizer.ggml.padding_token_id")).toBe(id(own.pad));
      const files = huggingFaceFiles(shape, weights, file);
      const json = (name: string) =>
        JSON.parse(new TextDecoder().decode(files.find((one) => one.name === name)?.bytes));
      for (const name of ["config.json", "generation_config.json"]) {
        const { bos_token_id, eos_token_id, pad_token_id } = json(name);
        expect({ bos_token_id, eos_token_id, pad_token_id }).toEqual({
          bos_token_id: id(own.begin) ?? null,
          eos_token_id: id(own.end) ?? null,
          pad_token_id: id(own.pad),
        });
      }
      expect(json("tokenizer_config.json").eos_token).toBe(
        own.end === undefined ? undefined : contents[own.end],
      );
    },
  );

  it.each([
    ["a tokenizer of another kind", tokenizer({ model: { type: "Unigram", vocab: [] } })],
    ["one that cuts text another way", tokenizer({ pre_tokenizer: { type: "Whitespace" } })],
    ["one that does not know all bytes, nor an end", tokenizer({}, ["a", "b"])],
  ])("refuses %s", (_, file) => {
    expect(() => encode("f32", file)).toThrow(expect.objectContaining({ code: "bad-file" }));
  });

  it("refuses weights that are not the shape's", () => {
    const wrong = { name: "x", shape: SHAPE, weights: WEIGHTS.slice(1), tokenizer: tokenizer() };
    expect(() => encodeGpt2Gguf({ ...wrong, type: "f32" })).toThrow(
      expect.objectContaining({ code: "bad-weights" }),
    );
    const tensor = { name: "t", sides: [2, 2], type: "f32", values: new Float32Array(3) } as const;
    expect(() => encodeGguf(new Map(), [tensor])).toThrow(/2 × 2/);
  });
});

describe("the Hugging Face folder", () => {
  const files = new Map(
    huggingFaceFiles(SHAPE, WEIGHTS, tokenizer()).map(({ name, bytes }) => [name, bytes]),
  );
  const json = (name: string) => JSON.parse(new TextDecoder().decode(files.get(name)));

  it("holds the weights under GPT-2's names, and the tokenizer byte for byte", () => {
    expect(decodeSafetensors(files.get("model.safetensors")!, layoutOf(SHAPE))).toEqual(WEIGHTS);
    expect(files.get("tokenizer.json")).toEqual(tokenizer());
    expect(loadTokenizer(files.get("tokenizer.json")!).vocabulary).toBe(258);
  });

  it("says what the model is, and names no token outside the vocabulary", () => {
    expect(json("config.json")).toMatchObject({
      architectures: ["GPT2LMHeadModel"],
      model_type: "gpt2",
      ...{ vocab_size: 258, n_positions: 16, n_embd: 8, n_layer: 2, n_head: 2 },
      activation_function: "gelu_new",
      tie_word_embeddings: true,
      ...{ bos_token_id: null, eos_token_id: null },
    });
    expect(json("tokenizer_config.json")).toMatchObject({ tokenizer_class: "PreTrainedTokenizerFast" });
  });
});
