import type { Words } from "../../language/catalogue.ts";
import {
  formatBytes,
  formatLarge,
  formatLoss,
  formatPart,
  formatProbability,
  plural,
} from "../../ui/format.ts";

/** The strings of the first page of a server of several runs. */
export const words = {
  title: "What would you like to help train?",
  lead:
    "Each of these is a language model that many browsers train together. Choose one: its page says what would run on your " +
    "machine, and asks you before anything does.",
  loading: "Asking the server about its runs…",
  away: "The server does not answer. What is shown may be old; this page keeps trying.",
  none: "There is no run here yet.",
  noneHelp: "If this server is yours, make one on the operator’s page.",
  operator: "Operator’s page",
  by: (who: string) => `by ${who}`,
  noPurpose: "Its operator has not said what it is for.",
  mostHelp: "Here you would help most now",
  anywhere: "Anywhere I help most",
  anywhereHelp:
    "Agree once. The server then sends you to the run where, by its own measure, one more browser helps most. If another run needs you much more, it moves you there and says so.",
  anywhereAsk: "Help anywhere…",
  anywhereRuns: "You would agree to help each of these:",
  anywhereCost: (first: number) => `(${formatBytes(first)} the first time it is chosen)`,
  anywhereWhat:
    "Your browser trains in this page, at half speed, while it is open. It downloads a run’s model and text. It sends changes to the model, under another random key for each run, and never anything of yours. It moves at most every few minutes, between two pieces of work. Each run’s page says more and has the controls; one button there ends this. Runs that are made later ask you separately.",
  anywhereAgree: "Agree, and start training",
  anywhereNot: "Not now",
  anywhereFailed:
    "This browser keeps nothing for this site, so it could not remember that you agreed. Choose a run below instead.",
  state: { running: "Running", paused: "Paused", finished: "Finished" },
  howFar: "How far",
  ofBudget: (part: number, budget: number) =>
    `${formatProbability(Math.min(1, part))} of ${formatLarge(budget)} tokens`,
  loss: "Held-out loss",
  notMeasured: "not measured yet",
  here: "Here now",
  hereCount: (volunteers: number) => (volunteers === 0 ? "nobody" : plural(volunteers, "volunteer")),
  oneMore: "One more browser",
  oneMoreOf: (part: number | null, volunteers: number, running: boolean) => {
    if (!running) return "waits until it goes on";
    if (part !== null) return `brings each version ${formatPart(part)} further`;
    return volunteers === 0 ? "starts it again" : "helps; how much is not measured yet";
  },
  cost: "What it costs",
  costOf: (first: number, up: number, down: number) =>
    `${formatBytes(first)} once, then about ${formatBytes(up)} sent and ${formatBytes(down)} received a round`,
  size: "Model",
  parameters: (count: number) => `${formatLarge(count)} parameters`,
  look: "Look and take part",
  lookAt: (name: string) => `Look and take part in ${name}`,
  status: "Status",
  statusOf: (name: string) => `Status of ${name}`,
  archive: "Finished",
  archiveLead: "These runs have reached their end. What they made stays here, for anybody.",
  thanks: (deltas: number) =>
    deltas === 0
      ? "Nobody’s work is in it."
      : `Made of ${plural(deltas, "piece")} of work by volunteers. Thank you.`,
  made: (version: number, parameters: number, loss: string) =>
    `${plural(version, "version")}, ${formatLarge(parameters)} parameters. ${loss}.`,
  nats: (loss: number) => `${formatLoss(loss)} nats`,
  download: "Download the model",
  downloadOf: (name: string) => `Download the model of ${name}`,
  wrote: "What it wrote at the end",
  record: "The last version’s proof: its signed record",
  recordOf: (name: string) => `The last version’s proof, its signed record: ${name}`,
  curve: "Its curve and its volunteers",
  curveOf: (name: string) => `Its curve and its volunteers: ${name}`,
  curveSummary: (from: string, to: string) => `Held-out loss went from ${from} to ${to}`,
} as const;

export type LobbyWords = Words<typeof words>;
