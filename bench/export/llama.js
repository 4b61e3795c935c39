/**
 * llama.cpp's answer, as JSON on stdout: `node llama.js MODEL.gguf` with `{prompts, count}` as JSON on stdin. For each
 * prompt its tokens, the logits after its last one, and `count` tokens of greedy continuation with their text.
 */
import { text } from "node:stream/consumers";
import { getLlama } from "node-llama-cpp";

const { prompts, count } = JSON.parse(await text(process.stdin));
const llama = await getLlama({ gpu: false, build: "never", skipDownload: true, logLevel: "error" });
const model = await llama.loadModel({ modelPath: process.argv[2] });
const context = await model.createContext({
  contextSize: model.trainContextSize,
  sequences: 1,
  threads: 1,
  flashAttention: false,
});
const sequence = context.getSequence();
const answers = [];
for (const prompt of prompts) {
  const tokens = model.tokenize(prompt);
  const last = tokens.at(-1);
  const generateNext = { logits: true };
  await sequence.clearHistory();
  const told = await sequence.controlledEvaluate([...tokens.slice(0, -1), [last, { generateNext }]]);
  const logits = [...told.at(-1).next.logits].sort(([a], [b]) => a - b).map(([, logit]) => logit);
  await sequence.clearHistory();
  const written = [];
  for await (const token of sequence.evaluate(tokens, { temperature: 0, contextShift: { size: 1 } })) {
    if (written.push(token) === count) break;
  }
  answers.push({ tokens, logits, written, text: model.detokenize(written) });
}
process.stdout.write(JSON.stringify({ release: llama.llamaCppRelease.release, answers }));
await llama.dispose();
