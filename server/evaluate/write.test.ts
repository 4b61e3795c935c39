import { expect, it } from "vitest";
import type { Trainer } from "../../model/contract/trainer.ts";
import { write } from "./write.ts";

/** A model whose likeliest next token is the next of a list, and a tokenizer of the UTF-8 bytes of texts. */
function writerOf(text: string) {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  const logits: Trainer["logits"] = async (tokens) => {
    const rows = new Float32Array(256 * tokens.length);
    rows[rows.length - 256 + bytes[at++ % bytes.length]!] = 9;
    return rows;
  };
  const tokenizer = {
    vocabulary: 256,
    encode: (prompt: string) => Uint16Array.from(new TextEncoder().encode(prompt)),
    decode: (tokens: readonly number[]) => new TextDecoder().decode(Uint8Array.from(tokens)),
  };
  return async (maxTokens: number, stop: readonly string[], isOver?: () => boolean) => {
    at = 0;
    const parts: string[] = [];
    const order = { prompt: "a", maxTokens, temperature: 0, topK: 1, seed: 1, stop };
    const model = { logits } as unknown as Trainer;
    const written = await write(model, tokenizer, 8, order, (part) => parts.push(part), isOver);
    return { ...written, parts };
  };
}

const WHALES = "🐋 the whale 🐋🐋 and 鯨 ";
const LENGTH = new TextEncoder().encode(WHALES).length;

it("Q3: cuts no character in two, whatever is held back for a stop text", async () => {
  for (const stop of [[], ["z"], ["zz"], ["zzz"], ["zz", "zzzzz"]]) {
    const { parts } = await writerOf(WHALES)(LENGTH, stop);
    expect(parts.join("")).toBe(WHALES);
    expect(parts.filter((part) => !part.isWellFormed())).toEqual([]);
    expect(parts.length).toBeGreaterThan(5);
  }
});

it("Q2: ends before a stop text that is a half of no character, and tells nothing of it", async () => {
  expect((await writerOf(WHALES)(100, ["🐋🐋"])).parts.join("")).toBe("🐋 the whale ");
  expect((await writerOf(WHALES)(100, ["鯨", "🐋🐋 and"])).parts.join("")).toBe("🐋 the whale ");
});

it("A36: ends where nobody reads it any more, with what there is; the control writes all", async () => {
  let tokens = 0;
  const left = await writerOf("abcdef")(100, [], () => ++tokens === 4);
  expect(left).toMatchObject({ tokens: 4, ended: "length" });
  expect(left.parts.join("")).toBe("abcd");
  expect(await writerOf("abcdef")(100, [])).toMatchObject({ tokens: 100 });
});
