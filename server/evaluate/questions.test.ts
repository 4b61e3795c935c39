import { describe, expect, it } from "vitest";
import { initialWeights } from "../../model/contract/init.ts";
import { logitsRow } from "../../model/decode/generate.ts";
import { type Guesses, Scorer } from "../../model/engine/wasm/scorer.ts";
import { type Asked, countRight, inTokens } from "./answers.ts";
import { openEvaluationTrainer } from "./device.ts";
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
const likes = (logits: Record<string, number>, rows = 64) => {
  const row = Float64Array.from({ length: 128 }, (_, token) => logits[String.fromCharCode(token)] ?? 0);
  const nats = Math.log(row.reduce((sum, logit) => sum + Math.exp(logit), 0));
  const asked: { length: number; sequences: number; guesses: number }[] = [];
  const losses = async (tokens: Uint16Array, length: number, { targets }: Guesses) => {
    asked.push({ length, sequences: tokens.length / length, guesses: targets.length });
    return Float32Array.from(targets, (token) => nats - row[token]!);
  };
  return { rows, losses, asked };
};
const asked = (choices: readonly string[], answer: number, prompt = "a") =>
  inTokens([{ prompt, choices, answer }], tokenizer);

describe("an answer", () => {
  it("is the likeliest choice", async () => {
    expect(await countRight(likes({ y: 3 }), 16, asked(["x", "y"], 1))).toBe(1);
    expect(await countRight(likes({ x: 3 }), 16, asked(["x", "y"], 1))).toBe(0);
  });

  it("is measured a byte, so that a long choice is no worse for its length; control: by the sum it would be", async () => {
    const model = likes({ y: 3, " ": 3 });
    expect(await countRight(model, 16, asked(["x", "yyyyyyyy"], 1))).toBe(1);
    const [nats, row] = [Math.log(126 + 2 * Math.exp(3)), 3];
    const [short, long] = [row - nats + (0 - nats), 9 * (row - nats)];
    expect(long).toBeLessThan(short);
  });

  it("follows its prompt after one blank, whoever brings it", () => {
    const texts = (prompt: string, choice: string) => {
      const [{ choices }] = asked([choice, "x"], 0, prompt) as [Asked];
      return String.fromCharCode(...choices[0]!.tokens);
    };
    expect(texts("a", "b")).toBe(" b");
    expect(texts("a", " b")).toBe(" b");
    expect(texts("a ", "b")).toBe("b");
    expect(texts("a", ".")).toBe(".");
  });

  it("is never right where a choice is longer than the context, and a long prompt loses its beginning", async () => {
    const model = likes({});
    expect(await countRight(model, 4, asked(["yyyyyyyy", "xxxxxxxx"], 0))).toBe(0);
    expect(model.asked).toEqual([]);
    await countRight(model, 4, asked(["y", "x"], 0, "a".repeat(50)));
    expect(model.asked.map(({ length }) => length)).toEqual([4]);
    expect(await countRight(model, 4, asked(["y", "x"], 0, "")), "no token to go on from").toBe(0);
  });

  it("is never right where the tokenizer has no token for it", async () => {
    const none = {
      encode: (): never => {
        throw new Error("no token");
      },
    };
    const questions = inTokens([{ prompt: "a", choices: ["x", "y"], answer: 0 }], none);
    expect(await countRight(likes({ x: 3 }), 16, questions)).toBe(0);
  });
});

describe("what is read for a set of questions", () => {
  it("is one prompt for all choices that share it, and those of one length at once", async () => {
    const model = likes({});
    // " x" and " y" are read as "a ", "bc" by itself; of "b" likewise.
    await countRight(model, 16, [...asked(["x", "y", "zz"], 0), ...asked(["x", "y"], 1, "b")]);
    expect(model.asked).toEqual([
      { length: 2, sequences: 2, guesses: 8 },
      { length: 3, sequences: 1, guesses: 3 },
    ]);
  });

  it("never has more tokens or guesses at once than a scorer takes", async () => {
    for (const context of [2, 3, 5, 16]) {
      const model = likes({}, context);
      const all = ENGLISH_QUESTIONS.flatMap(({ prompt, choices, answer }) =>
        asked(choices, answer, prompt.slice(0, 1 + (answer % 3))),
      );
      await countRight(model, context, [...all, ...asked([..."bcdefghi"], 0, "a ")]);
      expect(model.asked.length).toBeGreaterThan(0);
      for (const { length, sequences, guesses } of model.asked) {
        expect(length * sequences).toBeLessThanOrEqual(context);
        expect(guesses).toBeLessThanOrEqual(context);
      }
    }
  });

  it("leads to the answers that the choices have one by one from their logits", async () => {
    const shape = { layers: 1, heads: 2, width: 16, context: 24, vocabulary: 128 };
    const batch = 3;
    const optimizer = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0, clip: 1 };
    const trainer = await openEvaluationTrainer({ shape, batch, optimizer }, false);
    await trainer.load(initialWeights(shape, 1).map((weight) => 20 * weight));
    const questions = inTokens(ENGLISH_QUESTIONS, tokenizer);
    let alone = 0;
    for (const { prompt, choices, answer } of questions) {
      const scores: number[] = [];
      for (const { tokens, bytes } of choices) {
        const given = prompt.subarray(Math.max(0, prompt.length + tokens.length - 1 - shape.context));
        const read = Uint16Array.of(...given, ...tokens.subarray(0, -1));
        const logits = await trainer.logits(read);
        const of = (row: Float32Array, token: number) =>
          row[token]! - Math.log(row.reduce((sum, logit) => sum + Math.exp(logit), 0));
        scores.push(
          tokens.reduce(
            (sum, token, i) => sum + of(logitsRow(logits, read.length, given.length - 1 + i), token),
            0,
          ) / bytes,
        );
      }
      // A set of one question is right or wrong as the whole set counts it.
      const right = scores.indexOf(Math.max(...scores)) === answer;
      expect(await countRight(new Scorer(trainer, shape), shape.context, [{ prompt, choices, answer }])).toBe(
        +right,
      );
      alone += +right;
    }
    expect(await countRight(new Scorer(trainer, shape), shape.context, questions)).toBe(alone);
    expect(alone).toBeGreaterThan(0);
    expect(alone).toBeLessThan(questions.length);
  });
});
