import type { Words } from "../../../language/catalogue.ts";
import { formatBytes, formatLarge, formatProbability } from "../../../ui/format.ts";

/** The texts of the volunteer in another site's page: the same facts as the volunteer page's, in fewer words. */
export const words = {
  title: (run: string, operator: string, host: string) =>
    `Help train “${run}”, for ${operator === "" ? host : `${operator} (${host})`}?`,
  text: (share: number, parameters: number, tokenBudget: number, audits = false) =>
    `A language model of ${formatLarge(parameters)} parameters trains in this box while this page is open, on about ` +
    `${formatProbability(share)} of this device’s time, until it has learnt from ${formatLarge(tokenBudget)} tokens. Your ` +
    "browser sends changes to its weights, with a random key, their loss, the kind of device and this site’s address. It " +
    "never sends your files, nor what you do here. The server sees your internet address." +
    (audits
      ? " Now and then it checks another visitor’s change to the model, without learning whose it is."
      : ""),
  /** These two begin with the space before them, where a language has one between sentences. */
  budget: (budget: number | null, down: number) =>
    ` It downloads about ${formatBytes(down)} to begin with` +
    (budget === null ? "." : `, and stops at ${formatBytes(budget)} of traffic a day.`),
  licence: (licence: string) => ` The model’s licence: ${licence}.`,
  agree: "Yes, help train",
  refuse: "No thanks",
  asking: "Asking the visitor.",
  revoke: "Forget me",
  ask: "Try the model",
  about: "What is this?",
} as const;

export type FrameWords = Words<typeof words>;
