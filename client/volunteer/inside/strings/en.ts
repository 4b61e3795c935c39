import type { Words } from "../../../language/catalogue.ts";
import { formatBytes, formatCount, formatFixed, plural } from "../../../ui/format.ts";

/** The texts of the look inside. */
export const words = {
  lookWait: "There is something to see once the first passage is being read.",
  lookNow: (version: number) => `Version ${formatCount(version)} reads:`,
  attention: "What it attends to",
  attentionHelp:
    "To guess what follows a token, the model looks back. Choose a token: the stronger an earlier one is marked, the more this head " +
    "looks at it. Each layer has several heads, and each learns to look for something else.",
  attentionLabel: "Tokens of the passage: the arrow keys choose which one looks back",
  layer: "Layer",
  head: "Head",
  attends: (token: string, seen: string, share: string) => `“${token}” looks most at “${seen}” (${share}).`,
  attentionMap: (layer: number, head: number) =>
    `Attention of layer ${layer}, head ${head}: a row for each token, a column for each one it looks at.`,
  tokenMap: "Where tokens lie",
  tokenMapHelp: (numbers: number, shows: string) =>
    `To the model a token is a point of ${formatCount(numbers)} numbers. Here are all of them, flattened to the two ` +
    `directions in which they differ most (${shows} of all differences). Tokens with similar uses drift together as it learns.`,
  tokenMapLabel: (tokens: number) => `A map of ${plural(tokens, "token")}; those of the passage are named.`,
  nearest: (token: string) => `Nearest to “${token}”:`,
  delta: "What was sent",
  deltaWait: "The first delta has not been sent yet.",
  deltaHelp: (steps: number, parameters: number) =>
    `A delta is how far ${plural(steps, "step")} of training moved each of the model’s ${formatCount(parameters)} numbers.`,
  deltaRatio: (ratio: string, changed: string) =>
    `All of it together is ${ratio} of the size of the weights, and ${changed} of them change at all.`,
  deltaBytes: (bytes: number, plain: number) =>
    `${formatBytes(bytes)} were sent instead of ${formatBytes(plain)}: ${formatFixed(plain / bytes, 1)} times smaller. ` +
    "The part that rounding left out is kept here and added to the next delta.",
  deltaBars: (largest: string) =>
    `How many weights moved by how much, from −${largest} on the left, through zero, to +${largest}.`,
} as const;

export type InsideWords = Words<typeof words>;
