import type { SetupStage } from "../../../protocol/setup.ts";

/** The strings of the page that makes a run. */
export const text = {
  title: "Make a run",
  lead:
    "A run is one model being trained: its text, its size and its versions. This server has none yet. Choose a text " +
    "and a size, look at what it costs, and create it. Nobody trains before you start it.",
  away: "The server does not answer. This page keeps trying.",

  textTitle: "1. The text",
  ownText: "Your own text",
  ownTextHelp: (most: string) =>
    `.txt, .md or .jsonl (one {"text": …} a line), each also as .gz, in UTF-8 or UTF-16, or .parquet with a column "text"; ` +
    `up to ${most}. Larger ones, several files, or another column: murmuration corpus add, on the server’s machine.`,
  mobyDick: "Moby-Dick, to try it out",
  mobyDickHelp: "1.2 MB of English text, included with this program.",
  choose: "Choose a file",
  unfinished: (name: string, received: string, bytes: string) =>
    `${name}: ${received} of ${bytes} are here. Choose the same file again to go on.`,
  sending: (name: string, received: string, bytes: string) => `Sending ${name}: ${received} of ${bytes}`,
  sendingAway: "The server does not answer just now; sending goes on by itself when it does.",
  here: (name: string, bytes: string) => `${name} is here, whole and checked: ${bytes}.`,
  fingerprint: (hash: string) => `SHA-256 ${hash}`,
  discard: "Discard it",
  space: (free: string) => `${free} are free on the server’s disk.`,
  corpus: (tokens: string, bytes: string, vocabulary: string) =>
    `This directory has its text already: ${bytes}, ${tokens} tokens of a vocabulary of ${vocabulary}.`,

  sizeTitle: "2. The run",
  name: "Name",
  nameHelp: "visitors see it",
  operator: "Operator",
  operatorHelp: "your name: the consent text says who asks for computing time",
  preset: "Size",
  presets: ["Tiny", "Small", "Medium", "Large"],
  presetLine: (name: string, parameters: string) => `${name} · ${parameters} parameters`,
  ownSize: "My own numbers",
  layers: "Layers",
  heads: "Heads",
  width: "Width",
  widthHelp: "a multiple of the heads",
  context: "Context",
  contextHelp: "tokens the model sees at once",
  vocabulary: "Vocabulary",
  vocabularyHelp: "tokens made from your text",
  budget: "Token budget",
  budgetHelp: "tokens to train on, then the run is finished; can be changed later",
  paused: "Start paused: visitors wait until you press Start",

  cardTitle: "3. What people read",
  cardHelp:
    "Shown before anybody agrees to train, and in the files of the model. All but the beginnings can be changed later.",
  noPurpose:
    "Nothing says what the model is for yet. People give their machine to a purpose; it can be said later, too.",

  prompts: "Beginnings",
  promptsHelp:
    "up to four, one a line: every version goes on from them, side by side; they stay as they are now",

  costTitle: "4. What it costs",
  estimating: "Working it out…",
  wrong: (why: string) => `These settings do not work: ${why}`,
  parameters: "Parameters",
  snapshot: "A newcomer downloads",
  snapshotHelp: "once: the weights",
  delta: "A ticket sends",
  deltaHelp: (bits: string, least: string, most: string) =>
    `${bits} bits a parameter, for ${least} to ${most} tokens trained`,
  diff: "A version sends everybody",
  diffHelp: "the change of the weights",
  flops: "Computing a token",
  flopsHelp: "floating-point operations to train on it",
  disk: "Disk",
  diskHelp: "snapshots, changes and recent work, beside the text",
  gpu: "A visitor’s GPU",
  gpuHelp: "of its memory; every browser with WebGPU offers what this takes",
  more: "Large buffers",
  gpuMore: "only a GPU that offers more than WebGPU promises can train this",
  wasm: "Without a GPU",
  wasmPhones: "of memory; phones have as much, too",
  wasmHelp: (machine: string) => `of a computer that has ${machine} and more; phones need their GPU`,
  no: "Not possible",
  wasmNo: "this model takes a GPU",
  hoursTitle: "How long?",
  hoursHelp: "That depends on machines that only you know. Measure one on",
  hoursBench: "the bench page",
  hoursHelpEnd: "in a browser like your visitors’, and write down what it says.",
  volunteers: "Volunteers at once",
  speed: "Tokens a second of one",
  hours: (time: string, tokens: string) => `About ${time} for ${tokens} tokens, if they train all the time.`,
  hoursAsk: "Fill in both for a rough figure.",

  create: "Create the run",
  createFirst: "Choose a text first.",
  making: "Making the run",
  makingHelp: "You can leave this page and come back; the server goes on.",
  failed: (code: string) => `The run was not made (${code})`,
  refused: (why: string) => `That did not work: ${why}`,
  signOut: "Sign out",
  signedInAs: (name: string) => `Signed in as ${name}`,
} as const;

export const STAGE: Record<SetupStage, string> = {
  fetching: "Fetching the text",
  comparing: "Reading the text that is there",
  reading: "Reading and splitting the text",
  counting: "Counting words",
  merging: "Building the vocabulary",
  encoding: "Writing the text as tokens",
  opening: "Drawing the first weights and opening the run",
};

/** A time of this many hours, as roughly as it is known. */
export function roughly(hours: number): string {
  if (hours < 1 / 30) return "a minute or two";
  if (hours < 1.5) return `${Math.round(hours * 60)} minutes`;
  if (hours < 48) return `${Math.round(hours)} hours`;
  if (hours < 24 * 400) return `${Math.round(hours / 24)} days`;
  return `${(hours / 24 / 365).toPrecision(2)} years`;
}
