import type { Words } from "../../language/catalogue.ts";
import { formatBytes, formatCount, formatFixed, formatLarge } from "../../ui/format.ts";

/** The playground's strings. */
export const words = {
  title: "Playground",
  tagline: "The model as it is right now, in this browser. Nothing you type leaves your device.",
  back: "Back to the training",
  load: (bytes: number) => `Load the model (at most ${formatBytes(bytes)})`,
  loadNote: "It is downloaded once. If you have trained here before, only the changes are downloaded.",
  version: (version: number) => `Version ${formatCount(version)} is loaded.`,
  newer: (version: number) => `Take version ${formatCount(version)}`,
  promptHelp: "The model continues from here, in the tone of the text it was trained on.",
  temperature: "Temperature",
  temperatureHelp: (value: number) =>
    value === 0
      ? "0: always the likeliest token, the same each time"
      : `${formatFixed(value, 1)}: ${value < 0.7 ? "careful, and prone to repeat itself" : value <= 1.1 ? "as it learnt" : "daring, soon nonsense"}`,
  topK: "Choose among",
  topKHelp: (count: number) =>
    count === 1 ? "the likeliest token only" : `the ${formatCount(count)} likeliest tokens`,
  again: "Write it another way",
  outputWait: "Nothing yet.",
  speed: (tokensPerSecond: number) =>
    `${formatLarge(tokensPerSecond)} tokens a second, on this device’s processor.`,
  next: "What it would write next",
  early: "How it began",
  earlyHelp: "The same first words, continued by an early version and by the newest that was measured.",
} as const;

export type PlaygroundWords = Words<typeof words>;
