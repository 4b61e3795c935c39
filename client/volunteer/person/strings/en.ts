import type { Words } from "../../../language/catalogue.ts";
import { formatCount } from "../../../ui/format.ts";

/** Strings of a person's page. */
export const words = {
  title: (name: string) => `${name} · Murmuration`,
  back: "Murmuration",
  loading: "Asking the server…",
  none: "There is no page at this address. Whoever had it may have removed it.",
  away: "The server does not answer. Reload the page in a while.",
  lead: "A volunteer, whose browser trains a language model with many others.",
  tokens: "Tokens in the model",
  recent: "Sent in the last day",
  merged: "Deltas merged",
  keys: (keys: number) => `From ${formatCount(keys)} browsers, whose keys are linked.`,
  proofs: "Proofs",
  proofsHelp:
    "The newest deltas that are in the model. Each links to the record that the server signed when it merged it. Your browser can " +
    "check the signatures by itself.",
  noProofs: "None of this volunteer’s deltas is in the model yet.",
  check: "Check them here",
  checking: "Checking…",
  hold: (of: number) => `All ${formatCount(of)} hold: the server signed that these deltas are in the model.`,
  broken: (hold: number, of: number) =>
    `Only ${formatCount(hold)} of ${formatCount(of)} hold. The server does not stand by the others.`,
  teamLead: "A team of volunteers, whose browsers train a language model together.",
  members: "People",
  people: "Who has a name",
  peopleHelp: "Members who chose a name. The others count too.",
  peopleColumns: ["Name", "Tokens"],
  columns: ["Version", "Tokens", "Delta"],
} as const;

export type PersonWords = Words<typeof words>;
