import type { Phase, Report } from "../../client/worker/messages.ts";
import type { TicketId, VolunteerKey } from "../../protocol/ids.ts";
import { exampleStatus, hashOf } from "./example-status.ts";

const TICKET = "t".repeat(22) as TicketId;
const KEY = "k".repeat(43) as VolunteerKey;

const PASSAGE =
  "Call| me| Ish|ma|el|.| Some| years| ago|—|never| mind| how| long| prec|ise|ly|—|having| little| or| no| money|" +
  " in| my| pur|se|,| and| nothing| part|ic|ular| to| interest| me| on| shore|,| I| thought| I| would| sail|" +
  " about| a| little| and| see| the| water|y| part| of| the| world|.\n| It| is| a| way| I| have| of| driv|ing|" +
  " off| the| sp|leen| and| reg|ul|ating| the| circ|ulation|.";

const GUESSES = [" the", ",", " and", " of", " a", " to", " in", "ing"];

/** What a Worker says in a good hour. */
export function trainingScript(last: Phase = { phase: "training" }): readonly Report[] {
  const tokens = PASSAGE.split("|");
  const status = exampleStatus();
  const guesses = tokens.slice(1).map((token, i) => {
    const right = i % 3 === 1;
    const p = 0.18 + 0.6 * Math.abs(Math.sin(i * 1.7));
    const others = GUESSES.filter((guess) => guess !== token);
    const other = (n: number) => others[(i + n) % others.length] ?? ",";
    const best = [right ? token : other(0), right ? other(0) : other(1), other(2)];
    return {
      at: i + 1,
      best: best.map((guess, rank) => ({ token: guess, probability: p / (rank + 1) ** 2 })),
      truth: { token, probability: right ? p : 0.04 + 0.05 * Math.abs(Math.cos(i)) },
    };
  });
  return [
    { type: "phase", phase: { phase: "starting" } },
    {
      type: "run",
      volunteer: KEY,
      manifest: {
        protocol: 2,
        run: status.run,
        name: status.name,
        operator: status.operator,
        task: "language",
        model: status.model,
        parameters: status.parameters,
        server: KEY,
        tokenizer: hashOf("5"),
        optimizer: { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 },
        batch: 4,
        delta: { name: "dense", bits: 4 },
        residualDecay: 0.95,
        state: "running",
        version: 160,
        hash: status.modelHash,
      },
    },
    {
      type: "device",
      device: { device: "webgpu", engine: "fast", detail: "AMD RDNA 2", software: false },
      probed: [
        { device: "webgpu", engine: "fast", outcome: { tokensPerSecond: 21_400 } },
        { device: "wasm", engine: "fast", outcome: { tokensPerSecond: 3_120 } },
        { device: "webgl", engine: "tfjs", outcome: { refused: "the known gradient came out wrong" } },
      ],
    },
    { type: "phase", phase: { phase: "downloading", what: "weights", bytes: 1_141_248, total: 1_141_248 } },
    { type: "phase", phase: { phase: "training" } },
    { type: "passage", passage: { version: 160, tokens, guesses } },
    ...Array.from({ length: 60 }, (_, i): Report => {
      const loss = 3.2 + 2.4 * Math.exp(-i / 16) + 0.15 * Math.sin(i * 3.3);
      return { type: "step", step: (i % 10) + 1, steps: 10, loss, tokensPerSecond: 9_870 };
    }),
    { type: "sent", bytes: 151_616, version: 159, tokens: 5_120, ticket: TICKET, delta: hashOf("d") },
    { type: "step", step: 4, steps: 10, loss: 3.27, tokensPerSecond: 9_870 },
    { type: "credit", credit: { tokens: 76_800, recent: 20_480, merged: 15, pending: 1, refused: 0 } },
    { type: "traffic", down: 3_212_480, up: 2_425_856 },
    { type: "phase", phase: last },
  ];
}
