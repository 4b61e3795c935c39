import type { DeviceReport } from "../../../model/contract/trainer.ts";
import type { Words } from "../../language/catalogue.ts";
import {
  formatBytes,
  formatChoices,
  formatCount,
  formatDuration,
  formatLarge,
  formatPart,
  formatProbability,
  formatTime,
  plural,
} from "../../ui/format.ts";
import type { Phase, UnableReason } from "../../worker/messages.ts";
import type { CodedKind, RefusalKind } from "./refusal-kinds.ts";

const insecure =
  "This page came over plain HTTP, and there browsers switch off the graphics card, keys and locks that training " +
  "needs. It works from an https:// address, or from localhost on the server’s own machine.";

/**
 * Everything the volunteer's pages say, in one place, so that it reads as one voice. The other languages have the same keys, and
 * state the same facts: consent is given to what stands here.
 */
export const words = {
  name: "Murmuration",
  tagline: "Many browsers, one small mind.",
  neighbours: "A starling follows seven neighbours; a murmuration looks like one mind.",

  noRunLink: "How to make one",

  consentTitle: (run: string) => `Help train “${run}”?`,
  whatFor: "What for",
  whatRuns: "What runs",
  whatRunsText: (parameters: number, audits = false) =>
    `A small language model of ${formatLarge(parameters)} parameters (GPT-2’s design) trains in this tab, on your ` +
    "graphics card or processor, a few seconds at a time, on passages of text the server hands out." +
    (audits
      ? " Now and then it checks another visitor’s change to the model, without learning whose it is."
      : ""),
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
    "leave long before. Nothing is expected of you, and a stop takes effect at once.",
  agree: "Start training",
  promise: "Nothing has run so far. You can pause or stop at any time; closing the tab stops it too.",
  insecure,

  pause: "Pause",
  pauseFor: "Pause for…",
  pauseLengths: { "half-hour": "30 minutes", hour: "an hour", tomorrow: "until tomorrow" },
  pausedUntil: (at: number) => `Training resumes by itself: ${formatTime(at)}.`,
  resume: "Resume",
  stop: "Stop",
  start: "Start again",
  override: "Train anyway",
  presets: "How much of this machine?",
  presetNames: { quiet: "Quiet", balanced: "Balanced", allIn: "All in" },
  presetHelp: {
    quiet: "a fifth of the time, and only while you look",
    balanced: "half of the time; rests on battery and when the machine is hot",
    allIn: "all of the time, whatever it costs",
  },
  presetOwn: "Custom",
  tune: "Fine-tune",
  startPaused: "Begin paused whenever this page is opened",
  keepAwake: "Keep the screen awake while training",
  pauseOnSaver: "Pause while this browser saves data",
  pauseOnHeat: "Pause when the machine is hot or busy",
  hoursOn: "Train only from",
  hoursTo: "to",
  hoursFromLabel: "Train from this time",
  hoursToLabel: "Train until this time",
  share: "Use of this machine",
  shareText: (share: number) => `${formatProbability(share)} of the time`,
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
    "The tokenizer could not be loaded, so the passage is not shown. Training continues, and every round tries again.",
  readingWait: "The first passage appears when the first round of training begins.",
  passage: (version: number, right: number, tokens: number) =>
    `Version ${formatCount(version)} guessed ${formatCount(right)} of ${plural(tokens, "token")} here.`,
  lineBreak: "line break",
  blank: "blank",
  autoOn: "Step through",
  autoOff: "Hold",
  nextPassage: "Next passage",

  look: "A look inside",
  lookHelp:
    "What the model in this tab is doing with the passage, computed here from the weights being trained.",

  yourLoss: "Your loss",
  lossHelp: "nats a token, on the text you train on",
  lossInWords: (nats: number) =>
    `nats a token, on the text you train on: as good as guessing among ${formatChoices(nats)} tokens`,
  passageInWords: (nats: number) =>
    `It finds this passage as hard as guessing each token among ${formatChoices(nats)}.`,
  credit: "Credit",
  creditHelp: "tokens of yours merged into the model",
  creditRecent: (tokens: number) => `${formatLarge(tokens)} of them sent in the last day`,
  refusals: "Refused",
  lastAt: (at: number) => `last ${formatTime(at)}`,
  sentTokens: "Trained on",
  sentHelp: "tokens sent since this page was opened",
  traffic: "Traffic",
  trafficText: (down: number, up: number) => `${formatBytes(down)} down, ${formatBytes(up)} up`,
  creditDetail: (merged: number, pending: number, refused: number) =>
    `${plural(merged, "delta")} merged, ${formatCount(pending)} pending, ${formatCount(refused)} refused`,

  people: "Names, and your data",
  peopleHelp: "Names of volunteers, how to choose yours, and the data that the server has about you.",

  run: "The run",
  heldOut: "Held-out loss",
  heldOutHelp: "How surprised the model is by text nobody trains on, in nats a token. Lower is better.",
  /** Begins with the space before it, where a language has one between sentences. */
  heldOutNow: (nats: string, bits: string) => ` Now ${nats}, that is ${bits}.`,
  rounds: (ms: number) =>
    `Everybody trains at once. About every ${formatDuration(ms)} a version is made of what arrived in time.`,
  oneMore: (part: number) =>
    `One more browser would now make each version learn about ${formatPart(part)} more.`,
  turns: "Volunteers take turns at each version; while many are here, some of them wait.",
  sample: "What it writes now",
  playgroundLink: "Try it with your own words",
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
  playgroundPage: "Playground",
  benchPage: "How fast is this browser?",
  benchLink: "Measure how fast this browser could train",
  downloadHelp: "safetensors, version by version",

  paused: {
    visitor: "Paused by you.",
    hidden: "Paused while this tab is hidden.",
    battery: "Paused while the machine is on battery.",
    saver: "Paused while this browser saves data.",
    heat: "Paused while the machine is hot or busy.",
    schedule: "Paused outside the hours you chose.",
    budget: "Paused: this site’s data allowance for today is used up.",
    site: "Paused by the site you are on.",
    "other-tab": "Another tab is training. This one takes over when that tab stops.",
    operator: "The operator has paused the run. Training resumes when they resume it.",
  } satisfies Record<Extract<Phase, { phase: "paused" }>["why"], string>,
  unable: {
    insecure,
    "no-device":
      "No way to train worked in this browser: neither the graphics card nor the processor passed the check.",
    "no-ed25519": "This browser cannot make Ed25519 keys, which sign your work. A current version of it can.",
    stuck: "Training did not start: part of this browser does not answer. Try again, or restart the browser.",
    failed: "Training failed in a way this page did not expect.",
  } satisfies Record<Exclude<UnableReason, "protocol">, string>,
  downloading: {
    weights: "Downloading the model’s weights…",
    text: "Downloading text to train on…",
    change: "Catching up with the newest version…",
  } satisfies Record<Extract<Phase, { phase: "downloading" }>["what"], string>,
  device: {
    webgpu: "WebGPU",
    wasm: "WebAssembly",
    webgl: "WebGL",
    cpu: "plain JavaScript",
  } satisfies Record<DeviceReport["device"], string>,
  software: (device: string) => `${device} (software, on the CPU)`,
  phase: {
    starting: "Starting…",
    probing: (device: string) => `Trying this machine’s devices (${device})…`,
    queued: "Waiting for the next piece of work.",
    training: "Training on a passage…",
    auditing: "Checking another visitor’s delta for the server…",
    sending: (bytes: number) => `Sending your delta (${formatBytes(bytes)})…`,
    waiting: (ms: number) => `No work right now. Asking again in ${formatDuration(ms)}.`,
    quarantined: (ms: number) =>
      "Your work failed a check, which can happen to honest work too. The server takes none of it " +
      `for ${formatDuration(ms)}; then training resumes by itself.`,
    banned:
      "The operator of this run has banned this browser, so the server takes no work from it. Only the operator can " +
      "undo that; ask them if you think it is a mistake.",
    away: (why: string, ms: number) => `${why} Trying again in ${formatDuration(ms)}; nothing is lost.`,
    finished: "The run is finished, and so is the model. Thank you.",
    stopped: "Stopped. Nothing is running.",
  },
  noAnswer: "The server does not answer.",
  spoken: {
    training: "Training.",
    starting: "Starting.",
    waiting: "Waiting for work.",
    away: "The server does not answer. Trying again.",
  },

  refusedWork: (why: string) => `Your last work was not taken: ${why}.`,
  refusal: {
    late: "it came too late: the model had moved on. It is kept for your next delta",
    expired: "it came after its deadline, and its text was given to someone else",
    repeated: "it had been sent before",
    invalid: "the training on this device produced invalid numbers (NaN)",
    large: "it would have changed the model more than training can",
    paused: "the operator has paused the run",
    finished: "the run is finished",
    quarantined: "earlier work from this browser failed a check, and nothing is taken for a while",
    banned: "the operator has banned this browser",
    busy: "too much was asked at once",
  } satisfies Record<RefusalKind, string>,
  refusalByCode: {
    unread: (code: string) => `the server could not read what came (“${code}”)`,
    unfit: (code: string) => `it does not fit this run or this browser’s key (“${code}”)`,
    outdated: (code: string) => `this page is older or newer than the server (“${code}”); reloading helps`,
    server: (code: string) => `the server cannot take it just now (“${code}”)`,
  } satisfies Record<CodedKind, (code: string) => string>,
} as const;

export type VolunteerWords = Words<typeof words>;
