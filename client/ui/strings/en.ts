import { bitsPerByte } from "../../../protocol/bits-per-byte.ts";
import type { Intermediary } from "../../../protocol/intermediary.ts";
import { intermediaryLine } from "../../../protocol/intermediary-line.ts";
import type { Words } from "../../language/catalogue.ts";
import { formatBits, formatCount, formatLarge, formatLoss, formatProbability, plural } from "../format.ts";

/** Strings that several applications share. Each application has a catalogue of its own beside this one. */
export const words = {
  language: "Language",
  languageMissing: "The texts of that language could not be loaded.",
  loading: "Asking the server about its run…",
  serverAway: "The server does not answer. This page keeps trying.",
  intermediary: (why: Intermediary) => intermediaryLine(why),
  keepsTrying: (what: string) => `${what} This page keeps trying.`,
  noRun: "This server has no run yet.",
  mismatch:
    "This page and the server speak different versions of the protocol, and reloading did not help. " +
    "The server was probably just updated: try again in a minute.",
  retry: "Try again",
  reload: "Reload the page",
  partMissing:
    "This part could not be loaded. The connection may have failed, something may block it, or this page is older than " +
    "the server’s.",
  guess: "It expected",
  truth: "The text says",
  right: "Right",
  wrong: "Missed",
  verdict: (what: string, chance: string) => `${what}. ${chance}`,
  chanceInWords: (probability: number) =>
    probability < 0.4
      ? `It gave the true one about 1 chance in ${formatCount(1 / probability)}.`
      : `It gave the true one a chance of ${formatProbability(probability)}.`,
  sampleOf: (version: number) => `Written by version ${formatCount(version)}, unedited.`,
  sampleEarly: "Earlier",
  sampleNow: "Now",
  samplePick: "Compare with version",
  sampleWait: "It has not written anything yet.",
  bitsPerByte: (nats: number, bytesPerToken: number | null) => {
    const bits = bitsPerByte(nats, bytesPerToken);
    return bits === undefined ? "" : `${formatBits(bits)} bits a byte`;
  },
  chartWait: "The first measurement is on its way.",
  chartPoint: (version: number, loss: number, bits: string, tokens: number) =>
    `Version ${formatCount(version)}: ${formatLoss(loss)} nats${bits === "" ? "" : ` (${bits})`} after ` +
    `${formatLarge(tokens)} tokens`,
  chartSummary: (from: number, to: number, versions: number) =>
    `Held-out loss went from ${formatLoss(from)} to ${formatLoss(to)} nats over ${plural(versions, "version")}.`,
  uniform: "any token",
  unigram: "by frequency",
  bigram: "by the token before",
  baselinesHelp: "Dashed: the loss of guessing any token, by frequency, or by the token before.",
  version: "Version",
  who: "Who is behind it",
  contact: "Contact",
  more: "More about it",
  textOf: "The text",
  cardText: (source: string | undefined, licence: string | undefined) =>
    source === undefined || licence === undefined ? (source ?? licence ?? "") : `${source} (${licence})`,
  modelLicence: "The model’s licence",
} as const;

export type CommonWords = Words<typeof words>;
