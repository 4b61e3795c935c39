import { describe, expect, it } from "vitest";
import { inTokens, isRight } from "./answers.ts";
import { ENGLISH_QUESTIONS } from "./english-questions.ts";
import { chanceOf, MAX_QUESTIONS_BYTES, parseQuestions, QuestionsError } from "./questions.ts";

const lines = (...values: unknown[]) =>
  new TextEncoder().encode(values.map((value) => JSON.stringify(value)).join("\n"));
const QUESTION = { prompt: "The sky is", choices: ["blue", "square"], answer: 0 };

describe("a set of questions", () => {
  it("is read line by line, its answers by place or by their text", () => {
    const given = lines(QUESTION, { ...QUESTION, answer: "square" });
    expect(parseQuestions(new TextEncoder().encode(`\n${new TextDecoder().decode(given)}\n\n`))).toEqual([
      QUESTION,
      { ...QUESTION, answer: 1 },
    ]);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ["no line", lines(), /no question/],
    ["no JSON", new TextEncoder().encode("{"), /line 1: .*JSON/],
    ["another line", lines(QUESTION, 7), /line 2: .*object/],
    ["no prompt", lines({ ...QUESTION, prompt: undefined }), /line 1: prompt/],
    ["an empty prompt", lines({ ...QUESTION, prompt: " " }), /prompt is empty/],
    ["one choice", lines({ ...QUESTION, choices: ["blue"] }), /at least two/],
    ["nine choices", lines({ ...QUESTION, choices: [..."abcdefghi"] }), /at most 8/],
    ["a choice twice", lines({ ...QUESTION, choices: ["blue", "blue"] }), /must differ/],
    ["an empty choice", lines({ ...QUESTION, choices: ["blue", ""] }), /choices\[1\] is empty/],
    ["an answer that is none", lines({ ...QUESTION, answer: 2 }), /answer must be/],
    ["an answer that is no choice", lines({ ...QUESTION, answer: "green" }), /answer must be/],
    ["unseen characters", lines({ ...QUESTION, prompt: "evil\u202eeman" }), /cannot be shown/],
    ["a long prompt", lines({ ...QUESTION, prompt: "x".repeat(2_001) }), /at most 2000/],
    ["too many", lines(...Array(1_001).fill(QUESTION)), /more than 1000 questions/],
    ["other bytes", Uint8Array.of(0xff), /not UTF-8/],
    ["too many bytes", new Uint8Array(MAX_QUESTIONS_BYTES + 1), /more than 1048576 bytes/],
  ])("with %s is refused, naming the line", (_, bytes, why) => {
    expect(() => parseQuestions(bytes)).toThrow(QuestionsError);
    expect(() => parseQuestions(bytes)).toThrow(why);
  });

  it("of our own is one that would be read, with answers in every place", () => {
    expect(parseQuestions(lines(...ENGLISH_QUESTIONS))).toEqual(ENGLISH_QUESTIONS);
    expect(ENGLISH_QUESTIONS.length).toBeGreaterThan(50);
    expect(new Set(ENGLISH_QUESTIONS.map(({ choices }) => choices.length))).toEqual(new Set([4]));
    expect(new Set(ENGLISH_QUESTIONS.map(({ answer }) => answer))).toEqual(new Set([0, 1, 2, 3]));
    expect(chanceOf(ENGLISH_QUESTIONS)).toBe(0.25);
  });
});

/** A token for each letter, and a model that gives every token the logit that its letter has. */
const tokenizer = { encode: (text: string) => Uint16Array.from(text, (one) => one.charCodeAt(0)) };
const likes = (logits: Record<string, number>) => ({
  logits: async (tokens: Uint16Array) => {
    const row = new Float32Array(128);
    for (const [letter, logit] of Object.entries(logits)) row[letter.charCodeAt(0)] = logit;
    return Float32Array.from({ length: 128 * tokens.length }, (_, i) => row[i % 128]!);
  },
});
const asked = (choices: readonly string[], answer: number, prompt = "a") =>
  inTokens([{ prompt, choices, answer }], tokenizer)[0]!;

describe("an answer", () => {
  it("is the likeliest choice", async () => {
    expect(await isRight(likes({ y: 3 }), 16, asked(["x", "y"], 1))).toBe(true);
    expect(await isRight(likes({ x: 3 }), 16, asked(["x", "y"], 1))).toBe(false);
  });

  it("is measured a byte, so that a long choice is no worse for its length; control: by the sum it would be", async () => {
    const model = likes({ y: 3, " ": 3 });
    expect(await isRight(model, 16, asked(["x", "yyyyyyyy"], 1))).toBe(true);
    const [nats, row] = [Math.log(126 + 2 * Math.exp(3)), 3];
    const [short, long] = [row - nats + (0 - nats), 9 * (row - nats)];
    expect(long).toBeLessThan(short);
  });

  it("follows its prompt after one blank, whoever brings it", () => {
    const texts = (prompt: string, choice: string) => {
      const { choices } = asked([choice, "x"], 0, prompt);
      return String.fromCharCode(...choices[0]!.tokens);
    };
    expect(texts("a", "b")).toBe(" b");
    expect(texts("a", " b")).toBe(" b");
    expect(texts("a ", "b")).toBe("b");
    expect(texts("a", ".")).toBe(".");
  });

  it("is never right where a choice is longer than the context, and a long prompt loses its beginning", async () => {
    const lengths: number[] = [];
    const model = {
      logits: async (tokens: Uint16Array) => {
        lengths.push(tokens.length);
        return new Float32Array(128 * tokens.length);
      },
    };
    expect(await isRight(model, 4, asked(["yyyyyyyy", "xxxxxxxx"], 0))).toBe(false);
    expect(lengths).toEqual([]);
    await isRight(model, 4, asked(["y", "x"], 0, "a".repeat(50)));
    expect(lengths).toEqual([4, 4]);
    expect(await isRight(model, 4, asked(["y", "x"], 0, "")), "no token to go on from").toBe(false);
  });

  it("is never right where the tokenizer has no token for it", async () => {
    const none = {
      encode: (): never => {
        throw new Error("no token");
      },
    };
    const [question] = inTokens([{ prompt: "a", choices: ["x", "y"], answer: 0 }], none);
    expect(await isRight(likes({ x: 3 }), 16, question!)).toBe(false);
  });
});
