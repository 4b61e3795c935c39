import type { Hash, RunId } from "../../protocol/ids.ts";
import type { RunStatus } from "../../protocol/status.ts";

export const hashOf = (digit: string) => digit.repeat(64) as Hash; // an example needs no real hash
const RUN = hashOf("9") as string as RunId;

/** A run in full swing. */
export function exampleStatus(overrides: Partial<RunStatus> = {}): RunStatus {
  const heldOut = Array.from({ length: 41 }, (_, i) => ({
    version: i * 4,
    tokens: i * 4 * 20_480,
    right: Math.round(68 - 48 * Math.exp(-i / 12) + 3 * Math.sin(i * 1.7) - 5),
    loss: 3.1 + 3.14 * Math.exp(-i / 7) + 0.03 * Math.sin(i * 2.1),
  }));
  return {
    protocol: 2,
    run: RUN,
    name: "Moby Dick, nightly",
    operator: "The Reading Room, reading-room.example",
    card: {
      purpose: "A small model that reads and writes like the sea, for a school’s lessons on language.",
      description:
        "Every class trains it for a week, and looks at what it learnt.\n\nIn June it goes on show in the town’s library.",
      who: "The Reading Room, a library’s club",
      contact: "mailto:room@reading-room.example",
      link: "https://reading-room.example/whales",
      language: "en",
      textSource: "Herman Melville, Moby-Dick (1851), from Project Gutenberg",
      textLicence: "public domain",
      modelLicence: "CC BY-SA 4.0",
    },
    state: "running",
    version: 160,
    modelHash: hashOf("4"),
    model: { layers: 2, heads: 4, width: 96, context: 128, vocabulary: 512 },
    parameters: 285_312,
    heldOut,
    bytesPerToken: 2.41,
    baselines: { uniform: 6.24, unigram: 5.24, bigram: 3.98 },
    tokensMerged: 3_276_800,
    tokenBudget: 40_000_000,
    tokensPerSecond: 1_893,
    volunteers: 23,
    deltas: { merged: 640, refused: { stale: 12, "lease-expired": 5, "not-finite": 1, "bad-signature": 1 } },
    rounds: {
      ...{ ms: 1_180, inner: "adamw", batch: 2 },
      lately: {
        versions: 20,
        steps: 14.2,
        late: 0.12,
        goodput: 0.63,
        crowd: { cosine: 0.11, oneMore: 0.05, useful: 32 },
      },
    },
    versions: Array.from({ length: 20 }, (_, i) => ({
      version: 160 - i,
      hash: (i + 10).toString(16).repeat(64).slice(0, 64) as Hash,
      deltas: 4 + (i % 3),
      tokens: 5_120 * (4 + (i % 3)),
      ms: 9_300 + 710 * (i % 5),
      diffBytes: 151_600,
    })),
    questions: { questions: 69, chance: 0.25 },
    prompts: ["The whale", "Call me"],
    sample: {
      version: 160,
      written: [
        " was seen in the water, and the boat of the captain went to the white side of the ship.",
        " the old man, said Starbuck; and all the men of the deck were looking at the sea.",
      ],
      text:
        "The whale was the ship, and the sea was a long of the boat; the captain had not the white head of " +
        "the deck, and all his hand was seen in the water.\n\n“What is the whale?” said Starbuck, and the " +
        "old man was again.",
    },
    samples: [
      {
        version: 0,
        text: "whaosXn it q;fu,ed Yor\nlc hemZ w ti7 as",
        written: ["Q;s tn7ed\nwh aXo", " lcZ u,fo itq hem"],
      },
      { version: 1, text: " the e and ooe t, he  of s the nd a" },
      { version: 4, text: "The the whan of and the sear, the was on the and the of hat" },
      { version: 16, text: "The whale was the sead of the boat, and the man the shipe was been" },
      {
        version: 64,
        text: "The whale was in the sea, and the boat of the captain was the long of the hand.",
      },
    ],
    ...overrides,
  };
}
