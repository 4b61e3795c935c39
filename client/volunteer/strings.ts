import type { DeviceReport } from "../../model/contract/trainer.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import {
  formatBytes,
  formatChoices,
  formatCount,
  formatDuration,
  formatLarge,
  formatLoss,
  formatProbability,
  formatTime,
  plural,
} from "../ui/format.ts";
import { intermediaryLine } from "../ui/intermediary-line.ts";
import type { Passage, PauseReason, Phase, ProbeResult, UnableReason } from "../worker/messages.ts";

/** Everything the volunteer's pages say, in one place, so that it reads as one voice and can be translated. */
export const text = {
  name: "Murmuration",
  tagline: "Many browsers, one small mind.",
  neighbours: "A starling follows seven neighbours; a murmuration looks like one mind.",

  loading: "Asking the server about its run…",
  serverAway: "The server does not answer. This page keeps trying.",
  noRun: "This server has no run yet.",
  noRunLink: "How to make one",
  mismatch:
    "This page and the server speak different versions of the protocol, and reloading did not help. " +
    "The server was probably just updated: try again in a minute.",

  consentTitle: (run: string) => `Help train “${run}”?`,
  whatRuns: "What runs",
  whatRunsText: (parameters: number) =>
    `A small language model of ${formatLarge(parameters)} parameters (GPT-2’s design) trains in this tab, on your ` +
    "graphics card or processor, a few seconds at a time, on passages of text the server hands out.",
  forWhom: "For whom",
  forWhomText: (operator: string, host: string) =>
    `${operator === "" ? "The operator" : operator}, at ${host}. ` +
    "The model belongs to everyone: each version can be downloaded here, by you too.",
  leaves: "What leaves your device",
  leavesText:
    "Changes to the model’s weights, their loss and timing, which kind of device and browser made them, and a " +
    "random key made here to tell your work from others’. Never your files, your history or anything you type.",
  sees: "What the server sees",
  seesText: "Your internet address, as with any page you visit.",
  costs: "What it costs you",
  costsText: (down: number, round: number | undefined) =>
    `About ${formatBytes(down)} once${round === undefined ? "" : `, then about ${formatBytes(2 * round)} a round`}, ` +
    "and some electricity.",
  until: "Until when",
  untilText: (done: number, budget: number) =>
    `The run ends when the model has learnt from ${formatLarge(budget)} tokens of text; ${formatLarge(done)} are done. You may ` +
    "leave long before: nothing is expected of you, and a stop takes effect at once.",
  agree: "Start training",
  promise: "Nothing has run so far. You can pause or stop at any time; closing the tab stops it too.",
  insecure:
    "This page came over plain HTTP, and there browsers switch off the graphics card, keys and locks that training " +
    "needs. It works from an https:// address, or from localhost on the server’s own machine.",

  frameTitle: (run: string, operator: string, host: string) =>
    `Help train “${run}”, for ${operator === "" ? host : `${operator} (${host})`}?`,
  frameText: (share: number, parameters: number, tokenBudget: number) =>
    `A language model of ${formatLarge(parameters)} parameters trains in this box, on about ${Math.round(share * 100)}% of ` +
    `this device’s time, while this page is open, until it has learnt from ${formatLarge(tokenBudget)} tokens. Changes to its ` +
    "weights are sent, with a random key, their loss, the kind of device and this site’s address; never your files, nor " +
    "what you do here. The " +
    "server sees your internet address.",
  frameBudget: (budget: number | null, down: number) =>
    `It downloads about ${formatBytes(down)} to begin with` +
    (budget === null ? "." : `, and stops at ${formatBytes(budget)} of traffic a day.`),
  frameAgree: "Yes, help train",
  frameRefuse: "No thanks",
  frameAsking: "Asking the visitor.",
  frameRevoke: "Forget me",
  about: "What is this?",

  pause: "Pause",
  resume: "Go on",
  stop: "Stop",
  start: "Start again",
  retry: "Try again",
  reload: "Reload the page",
  partMissing:
    "This part could not be loaded. The connection may have failed, something may block it, or this page is older than " +
    "the server’s.",
  override: "Train anyway",
  presets: "How much of this machine?",
  presetNames: { quiet: "Quiet", balanced: "Balanced", allIn: "All in" },
  presetHelp: {
    quiet: "a fifth of the time, and only while you look",
    balanced: "half of the time; rests on battery and when the machine is hot",
    allIn: "all of the time, whatever it costs",
  },
  presetOwn: "your own mixture",
  tune: "Fine-tune",
  pauseOnSaver: "Pause while this browser saves data",
  pauseOnHeat: "Pause when the machine is hot or busy",
  hoursOn: "Train only from",
  hoursTo: "to",
  hoursFromLabel: "Train from this time",
  hoursToLabel: "Train until this time",
  share: "Use of this machine",
  shareText: (share: number) => `${Math.round(share * 100)}% of the time`,
  pauseWhenHidden: "Pause when this tab is hidden",
  pauseOnBattery: "Pause on battery",
  withPeers: "Share with other visitors",
  withPeersHelp:
    "Visitors’ browsers then pass the model and the text to each other, which takes load off this server. Those you are " +
    "connected with see your internet address, as in a video call, and you see theirs. At most 8 megabits a second go " +
    "out. Off unless you turn it on.",
  withPeersState: (browsers: number, given: number, taken: number) =>
    `Connected with ${plural(browsers, "browser")}: gave ${formatBytes(given)}, took ${formatBytes(taken)}.`,
  yourPart: "Your part",

  download: "Download",
  train: "Train",
  send: "Send",
  notYet: "not yet",
  downloadOf: { weights: "weights", text: "text", change: "changes" },
  stepOf: (step: number, steps: number) => `step ${step}/${steps}`,
  speed: (tokensPerSecond: number) => `${formatLarge(tokensPerSecond)} tokens/s`,
  forVersion: (version: number) => `for version ${formatCount(version + 1)}`,

  reading: "What it is reading",
  readingLabel: "The passage, token by token: the arrow keys move through it",
  readingHelp: "Point at a word, or use the arrow keys, to see what the model expected there.",
  readingMissing:
    "What turns tokens into words could not be loaded, so the passage is not shown. Training goes on, and every round tries again.",
  readingWait: "The first passage appears when the first round of training begins.",
  passage: (passage: Passage) => {
    const right = passage.guesses.filter(isRight).length;
    return `Version ${formatCount(passage.version)} guessed ${formatCount(right)} of ${plural(passage.guesses.length, "token")} here.`;
  },
  guess: "It expected",
  truth: "The text says",
  right: "Right",
  wrong: "Not this time",
  lineBreak: "line break",
  blank: "blank",
  autoOn: "Step through",
  autoOff: "Hold",
  nextPassage: "Next passage",

  look: "A look inside",
  lookHelp:
    "What the model in this tab is doing with the passage, computed here from the weights being trained.",
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
    `directions in which they differ most (${shows} of all differences). Tokens used alike drift together as it learns.`,
  tokenMapLabel: (tokens: number) => `A map of ${plural(tokens, "token")}; those of the passage are named.`,
  nearest: (token: string) => `Nearest to “${token}”:`,
  delta: "What was sent",
  deltaWait: "The first delta has not been sent yet.",
  deltaHelp: (steps: number, parameters: number) =>
    `A delta is how far ${plural(steps, "step")} of training moved each of the model’s ${formatCount(parameters)} numbers.`,
  deltaRatio: (ratio: string, changed: string) =>
    `All of it together is ${ratio} of the size of the weights, and ${changed} of them change at all.`,
  deltaBytes: (bytes: number, plain: number) =>
    `${formatBytes(bytes)} were sent instead of ${formatBytes(plain)}: ${(plain / bytes).toFixed(1)} times smaller. ` +
    "What the rounding left out is kept here and added to the next one.",
  deltaBars: (largest: string) =>
    `How many weights moved by how much, from −${largest} on the left, through nothing, to +${largest}.`,

  yourLoss: "Your loss",
  lossHelp: "nats a token, on the text you train on",
  lossInWords: (nats: number) => `as good as guessing among ${formatChoices(nats)} tokens`,
  passageInWords: (nats: number) =>
    `It finds this passage as hard as guessing each token among ${formatChoices(nats)}.`,
  chanceInWords: (probability: number) =>
    probability < 0.4
      ? `It gave the true one about 1 chance in ${formatCount(1 / probability)}.`
      : `It gave the true one a chance of ${formatProbability(probability)}.`,
  credit: "Credit",
  creditHelp: "tokens of yours merged into the model",
  creditRecent: (tokens: number) => `${formatLarge(tokens)} of them sent in the last day`,
  refusals: "Not taken",
  lastAt: (at: number) => `last ${formatTime(at)}`,
  sentTokens: "Trained on",
  sentHelp: "tokens sent since this page was opened",
  traffic: "Traffic",
  trafficText: (down: number, up: number) => `${formatBytes(down)} down, ${formatBytes(up)} up`,
  creditDetail: (merged: number, pending: number, refused: number) =>
    `${plural(merged, "delta")} merged, ${formatCount(pending)} pending, ${formatCount(refused)} refused`,

  people: "Names, and your data",
  peopleHelp: "Who is named here, how to be, and what the server holds about you.",

  run: "The run",
  heldOut: "Held-out loss",
  heldOutHelp: "How surprised the model is by text nobody trains on, in nats a token. Lower is better.",
  chartWait: "The first measurement is on its way.",
  chartSummary: (from: number, to: number, versions: number) =>
    `Held-out loss went from ${formatLoss(from)} to ${formatLoss(to)} nats over ${plural(versions, "version")}.`,
  uniform: "any token",
  unigram: "by frequency",
  bigram: "by the token before",
  baselinesHelp: "Dashed: what guessing costs that knows nothing, word counts, or pairs of words.",
  sample: "What it writes now",
  sampleOf: (version: number) => `Written by version ${formatCount(version)}, unedited.`,
  sampleEarly: "Earlier",
  sampleNow: "Now",
  samplePick: "Compare with version",
  playgroundLink: "Let it write from your words",
  sampleWait: "It has not written anything yet.",
  version: "Version",
  volunteers: "Volunteers",
  tokens: "Tokens learnt",
  birds: (volunteers: number) =>
    volunteers === 0
      ? "No one is training right now."
      : `${plural(volunteers, "volunteer")} now, one bird each.`,
  birdsWithYou: (volunteers: number) =>
    volunteers === 1
      ? "The one bird is you: nobody else is here right now."
      : `${plural(volunteers, "volunteer")} here, one bird each. Yours is bright.`,
  finishedTitle: "The model is finished",
  finishedText: "This run is over: nothing is left to train, and the model is here to keep.",
  downloadModel: "Download the model",
  statusPage: "How the run is doing",
  howPage: "How training works",
  howLink: "New to this? See how training works, with a small network that learns in front of you",
  playgroundPage: "Let it write",
  benchPage: "How fast is this browser?",
  benchLink: "Measure how fast this browser could train",
  downloadHelp: "safetensors, version by version",
} as const;

const PAUSED: Record<PauseReason | "operator", string> = {
  visitor: "Paused by you.",
  hidden: "Paused while this tab is hidden.",
  battery: "Paused while the machine is on battery.",
  saver: "Paused while this browser saves data.",
  heat: "Paused while the machine is under pressure, as when it runs hot.",
  schedule: "Paused outside the hours you chose.",
  budget: "Paused: this site’s data allowance for today is used up.",
  site: "Paused by the site you are on.",
  "other-tab": "Another tab of this browser is training; this one takes over when it ends.",
  operator: "The operator has paused the run. Training goes on when they resume it.",
};

const UNABLE: Record<UnableReason, string> = {
  insecure: text.insecure,
  "no-device":
    "No way to train worked in this browser: neither the graphics card nor the processor passed the check.",
  protocol: text.mismatch,
  "no-ed25519": "This browser cannot make Ed25519 keys, which sign your work. A current version of it can.",
  stuck:
    "Training did not begin: something in this browser does not answer. Trying again, or a restart of the browser, often helps.",
  failed: "Training failed in a way this page did not expect.",
};

const DOWNLOADING = {
  weights: "Downloading the model’s weights",
  text: "Downloading text to train on",
  change: "Catching up with the newest version",
} as const;

/** The loop's phase in a plain sentence. */
export function phaseLine(phase: Phase): string {
  switch (phase.phase) {
    case "starting":
      return "Starting…";
    case "probing":
      return `Trying this machine’s devices (${DEVICE[phase.trying]})…`;
    case "downloading":
      return `${DOWNLOADING[phase.what]}…`;
    case "queued":
      return "Waiting for its turn: others are at work on this version.";
    case "training":
      return "Training on a passage…";
    case "sending":
      return `Sending what was learnt (${formatBytes(phase.bytes)})…`;
    case "waiting":
      return `No work just now; asking again in ${formatDuration(phase.forMs)}.`;
    case "quarantined":
      return (
        "A check of this browser’s work did not come out right, which can happen to honest work too. The server takes none of it " +
        `for ${formatDuration(phase.forMs)}; then training goes on by itself.`
      );
    case "away":
      return awayLine(phase);
    case "paused":
      return PAUSED[phase.why];
    case "finished":
      return "The run is finished, and so is the model. Thank you.";
    case "unable":
      return UNABLE[phase.why];
    case "stopped":
      return "Stopped. Nothing is running.";
  }
}

function awayLine({ why, forMs }: Extract<Phase, { phase: "away" }>): string {
  const again = formatDuration(forMs);
  if (why === undefined || why.kind === "unreachable") {
    return `The server does not answer; trying again in ${again}. Nothing is lost.`;
  }
  return `${intermediaryLine(why)} Trying again in ${again}; nothing is lost.`;
}

/**
 * What a screen reader is told: the same for every turn of the loop, so that it speaks when something changed
 * for the visitor and not at each download.
 */
export function announcement(phase: Phase): string {
  switch (phase.phase) {
    case "queued":
    case "downloading":
    case "training":
    case "sending":
      return "Training.";
    case "starting":
    case "probing":
      return "Starting.";
    case "waiting":
      return "Waiting for work.";
    case "away":
      return phase.why === undefined
        ? "The server does not answer. Trying again."
        : intermediaryLine(phase.why);
    default:
      return phaseLine(phase);
  }
}

const DEVICE: Record<DeviceReport["device"], string> = {
  webgpu: "WebGPU",
  wasm: "WebAssembly",
  webgl: "WebGL",
  cpu: "plain JavaScript",
};

/** Where the training runs, e.g. "WebGPU · SwiftShader (software)". */
export function deviceLine({ device, detail, software }: DeviceReport): string {
  const kind = software ? `${DEVICE[device]}, played by the processor` : DEVICE[device];
  return detail === "" ? kind : `${kind} · ${detail}`;
}

/** One line of the probe, e.g. "WebGL: refused, wrong gradient". */
export function probeLine({ device, engine, outcome }: ProbeResult): string {
  const name = engine === "tfjs" ? `${DEVICE[device]} (tfjs)` : DEVICE[device];
  return "refused" in outcome
    ? `${name}: ${outcome.refused}`
    : `${name}: ${text.speed(outcome.tokensPerSecond)}`;
}

/** Why the server did not take a delta, for the volunteer who made it. */
export function refusedLine(code: ErrorCode): string {
  return `Your last work was not taken: ${refusalReason(code)}.`;
}

/** The reason as part of a sentence; a code where a visitor could do nothing with more words. */
export function refusalReason(code: ErrorCode): string {
  switch (code) {
    case "stale":
      return "it came too late, when the model had moved on; it is kept for the next";
    case "lease-expired":
      return "it came after its deadline, and its text was given to someone else";
    case "ticket-used":
      return "it had been sent before";
    case "not-finite":
      return "the training on this device ended in numbers that are none";
    case "norm-too-large":
      return "it would have changed the model more than training can";
    case "run-paused":
      return "the operator has paused the run";
    case "quarantined":
      return "a check of earlier work from here did not come out right, and for a while nothing is taken";
    default:
      return `the server says “${code}”`;
  }
}

/** Whether the model's best guess was what the text says. */
export function isRight({ best, truth }: Passage["guesses"][number]): boolean {
  return best[0]?.token === truth.token;
}
