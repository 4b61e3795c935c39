import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { layoutOf } from "../../model/contract/layout.ts";
import { BYTE_CHARACTERS } from "../../model/data/bytechars.ts";
import { Random } from "../../model/lib/random.ts";
import { MAX_WRITTEN_CHARS } from "../../protocol/limits.ts";
import { ManualTimer } from "../../test/harness/manual-timer.ts";
import { SILENCE_MS } from "../lib/watchdog.ts";
import { evaluateInThread, type ThreadEvaluator } from "./evaluator.ts";
import type { WorkerData } from "./messages.ts";
import { heldOutSlice } from "./slice.ts";

const SHAPE = { layers: 1, heads: 2, width: 8, context: 16, vocabulary: 256 };

/** A tokenizer.json with a token for each byte. */
function byteTokenizer(): Uint8Array<ArrayBuffer> {
  const vocab = Object.fromEntries([...BYTE_CHARACTERS].map((character, i) => [character, i]));
  const level = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  const json = {
    version: "1.0",
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: level,
    post_processor: null,
    decoder: level,
    model: { type: "BPE", vocab, merges: [] },
  };
  return new TextEncoder().encode(JSON.stringify(json));
}

const random = new Random(1);
const text = Uint16Array.from({ length: 400 }, () => random.below(256));
const data: WorkerData = {
  shape: SHAPE,
  tokenizer: byteTokenizer(),
  windows: heldOutSlice(text, SHAPE.context, 20, 1),
  prompt: text.slice(0, 4),
  prompts: [],
  questions: [],
};
const weights = Float32Array.from({ length: layoutOf(SHAPE).length }, () => (random.unit() - 0.5) / 50);

let folder: string;
let evaluator: ThreadEvaluator;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "murmuration-evaluator-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
afterEach(() => evaluator.close());

/** A worker whose answers the test knows: it counts its questions, and dies when a weight says so. */
async function scripted(): Promise<URL> {
  const file = join(folder, "worker.mjs");
  const script = `
    import { parentPort } from "node:worker_threads";
    let answered = 0;
    parentPort.on("message", ({ version, weights }) => {
      if (weights[0] === 1) process.exit(3);
      if (weights[0] === 2) throw new Error("out of order");
      if (weights[0] === 4) for (;;);
      if (weights[0] === 3) return parentPort.postMessage({ version, error: "weights are not finite" });
      parentPort.postMessage({ version, loss: version, sample: String(++answered) });
    });`;
  await writeFile(file, script);
  return pathToFileURL(file);
}

const outcome = (asked: Promise<unknown>) =>
  asked.then(
    (value) => value,
    (error: Error) => `${error.name}: ${error.message}`,
  );

describe("evaluation in a thread", () => {
  it("measures about ln V on small weights, and lets them write, the same each time, also after a rest", async () => {
    evaluator = evaluateInThread({ data });
    const measuring = evaluator.evaluate(1, weights);
    await evaluator.rest(); // of a thread at work, which it leaves alone
    const first = await measuring;
    await evaluator.rest();
    expect(first.loss).toBeGreaterThan(Math.log(256) - 0.1);
    expect(first.loss).toBeLessThan(Math.log(256) + 0.1);
    expect(first.sample.length).toBeGreaterThan(0);
    expect(await evaluator.evaluate(1, weights)).toEqual(first);
  });

  it("goes on from each of the operator's beginnings with the same draws at every version, boundedly; control: the sample's draws change", async () => {
    const prompts = ["Call me", "x".repeat(200)];
    evaluator = evaluateInThread({ data: { ...data, prompts } });
    const first = await evaluator.evaluate(1, weights);
    expect(first.written).toHaveLength(2);
    for (const wrote of first.written!) {
      expect(wrote.length).toBeGreaterThan(0);
      expect(wrote.length).toBeLessThanOrEqual(MAX_WRITTEN_CHARS);
    }
    const second = await evaluator.evaluate(2, weights);
    expect(second.written).toEqual(first.written);
    expect(second.sample).not.toBe(first.sample);
    expect(
      await evaluator.evaluate(
        3,
        weights.map((value) => 2 * value),
      ),
    ).not.toMatchObject({
      written: first.written,
    });
  });

  it("answers the questions it is given, and none where there are none", async () => {
    const questions = ["x", "y"].map((prompt) => ({ prompt, choices: ["a", "b"], answer: 0 }));
    evaluator = evaluateInThread({ data });
    expect(await evaluator.evaluate(1, weights)).not.toHaveProperty("right");
    await evaluator.close();
    evaluator = evaluateInThread({ data: { ...data, questions } });
    const { right } = await evaluator.evaluate(1, weights);
    const flipped = questions.map((question) => ({ ...question, answer: 1 }));
    await evaluator.close();
    evaluator = evaluateInThread({ data: { ...data, questions: flipped } });
    expect((await evaluator.evaluate(1, weights)).right).toBe(2 - right!);
  });

  it("says why a version cannot be measured, and goes on with the next", async () => {
    evaluator = evaluateInThread({ data });
    const bad = weights.slice().fill(Number.NaN);
    expect(await outcome(evaluator.evaluate(1, bad))).toMatch(/^NotEvaluated: /);
    expect((await evaluator.evaluate(2, weights)).loss).toBeGreaterThan(5);
  });

  it("measures one at a time", async () => {
    evaluator = evaluateInThread({ data, worker: await scripted() });
    const first = evaluator.evaluate(1, Float32Array.of(0));
    expect(await outcome(evaluator.evaluate(2, Float32Array.of(0)))).toMatch(/another version/);
    expect(await first).toEqual({ loss: 1, sample: "1" });
    expect(await evaluator.evaluate(3, Float32Array.of(0))).toEqual({ loss: 3, sample: "2" });
  });

  it("replaces a thread that ends or throws, and loses only its question", async () => {
    evaluator = evaluateInThread({ data, worker: await scripted() });
    expect(await evaluator.evaluate(1, Float32Array.of(0))).toEqual({ loss: 1, sample: "1" });
    const crash = outcome(evaluator.evaluate(2, Float32Array.of(1)));
    expect(await crash).toBe("NotEvaluated: the evaluator's thread ended with code 3");
    expect(await evaluator.evaluate(3, Float32Array.of(0))).toEqual({ loss: 3, sample: "1" });
    expect(await outcome(evaluator.evaluate(4, Float32Array.of(2)))).toBe("NotEvaluated: out of order");
    expect(await evaluator.evaluate(5, Float32Array.of(0))).toEqual({ loss: 5, sample: "1" });
    expect(await outcome(evaluator.evaluate(6, Float32Array.of(3)))).toBe(
      "NotEvaluated: weights are not finite",
    );
    expect(await evaluator.evaluate(7, Float32Array.of(0))).toEqual({ loss: 7, sample: "2" });
  });

  it("gives up a thread that hangs, and asks another; control: none while it says that it works", async () => {
    const timer = new ManualTimer();
    evaluator = evaluateInThread({ data, worker: await scripted(), after: timer.after });
    const fine = evaluator.evaluate(1, Float32Array.of(0));
    timer.pass(0.9 * SILENCE_MS);
    expect(await fine).toEqual({ loss: 1, sample: "1" });
    const hangs = outcome(evaluator.evaluate(2, Float32Array.of(4)));
    await vi.waitFor(() => expect(timer.count).toBeGreaterThan(4)); // the question is on its way
    timer.pass(SILENCE_MS);
    expect(await hangs).toBe("NotEvaluated: the evaluator's thread said nothing for 600 s");
    expect(await evaluator.evaluate(3, Float32Array.of(0))).toEqual({ loss: 3, sample: "1" });
  });

  it("ends its thread when it is closed, and measures nothing after", async () => {
    evaluator = evaluateInThread({ data, worker: await scripted() });
    const settled = vi.fn();
    evaluator.evaluate(1, Float32Array.of(0)).then(settled, settled);
    await evaluator.close();
    expect(settled).not.toHaveBeenCalled();
    expect(await outcome(evaluator.evaluate(3, Float32Array.of(0)))).toMatch(/closed/);
  });
});
