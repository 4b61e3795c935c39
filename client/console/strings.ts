import type { ErrorCode } from "../../protocol/errors.ts";
import type { RunState } from "../../protocol/manifest.ts";
import type { InnerName } from "../../protocol/ticket.ts";
import { formatCount, plural } from "../ui/format.ts";

/** The status page's strings. */
export const text = {
  loading: "Asking the server…",
  away: "The server does not answer. What is shown may be old; this page keeps trying.",
  worse: (now: string, then: string, version: string) =>
    `The model is getting worse: its loss was ${then} at version ${version} and stays at ${now}.`,
  guessing: (now: string, uniform: string) =>
    `The model does worse than guessing: its loss stays at ${now}, and guessing has ${uniform}.`,
  worseHelp:
    "This is what the server measures on text nobody trains on; volunteers are not to blame. The operator can lower the learning rate and go back to an earlier version.",
  noRun: "This server has no run yet.",
  mismatch: "This page and the server speak different versions of the protocol. Reload it in a minute.",
  back: "The volunteers’ page",
  version: "Version",
  volunteers: "Volunteers",
  volunteersHelp: "held a ticket or sent a delta in the last minute",
  speed: "Tokens a second",
  speedHelp: "merged, over the last minute",
  heldOut: "Held-out loss",
  tokens: "Tokens merged",
  budget: (share: string, budget: string) => `${share} of a budget of ${budget}`,
  merged: "Deltas merged",
  refusedCount: "Deltas refused",
  model: "Model",
  modelText: (parameters: string, shape: string) => `${parameters} parameters: ${shape}`,
  hash: "SHA-256 of the current version",
  about: "About this run",
  answers: "Questions answered",
  answersHelp: (questions: string, chance: string) =>
    `Of ${questions} multiple-choice questions, those where the right choice is likeliest to the model. Guessing has ${chance}.`,
  answersWait: "No version has been asked yet.",
  answersCaption: (chance: string) =>
    `From 0% to 100%, over tokens; the band is the standard error. Dashed: guessing, ${chance}.`,
  answersSummary: (from: string, to: string) => `Right answers went from ${from} to ${to}.`,
  prompts: "The same beginnings, over time",
  promptsHelp:
    "How versions go on from what the operator began, each with the same draws of chance, unedited.",
  promptsWait: "No version has been asked yet.",
  byVersion: (version: string) => `version ${version}`,
  curve: "Held-out loss",
  versions: "Versions",
  versionsTable: "Table of versions",
  noVersions: "No version has been merged yet.",
  columns: ["Version", "Deltas", "Tokens", "Took", "Diff", "Hash"],
  refused: "Refused, and why",
  noneRefused: "Nothing has been refused.",
  refusedColumns: ["Reason", "Times", "What it means"],
  activity: "Activity",
  noActivity: "Nothing since this page was opened.",
  sample: "What it writes now",
  raw: "The same as JSON",
  modelFile: "Download the model",
} as const;

/** Of the table of measurements. */
export const speeds = {
  title: "How fast devices train",
  help: "As visitors measured it and sent it; nothing of it is checked, and nothing is decided by it. The median of each device.",
  measure: "Measure yours",
  none: "Nobody has sent a measurement.",
  table: "Table of devices",
  columns: ["Device", "Runs on", "Model", "Tokens a second", "Of its own best", "Measured"],
  device: { webgpu: "GPU", wasm: "Processor" },
  software: "GPU in software",
  size: { small: "0.1M", anchor: "0.9M" },
} as const;

/** What both consoles say of the run's rounds. */
export const rounds = {
  title: "Rounds",
  turns:
    "Volunteers take turns: a version closes when most of those at work on it have sent, and while many are at work, others " +
    "wait.",
  length: "A round",
  lengthHelp: "everybody trains, and a version closes when it is over",
  inner: "Trains with",
  innerHelp: (batch: number) => `${plural(batch, "sequence")} a step`,
  steps: "Steps a delta",
  stepsHelp: "on average; each volunteer does as many as it can in its time",
  late: "Late",
  lateHelp: "of the deltas, made for an earlier version; they count for less",
  goodput: "Time in training",
  goodputHelp: (versions: number) =>
    `of the newest ${plural(versions, "version")}, as their volunteers say; the rest goes into links and waiting`,
  oneMore: "One more volunteer",
  oneMoreHelp: (useful: number | null) =>
    `learnt a version, by how alike its deltas are${useful === null ? "" : `; beyond ${formatCount(useful)}, each adds little`}`,
} as const;

/** What both consoles say of a held-out loss. */
export const heldOutHelp = "nats a token, on text nobody trains on";

/** The fields of a run's card, where an operator fills them in. */
export const cardForm = {
  purpose: "What is the model for?",
  description: "More about it",
  who: "Who is behind it",
  contact: "Contact",
  link: "Where to read more",
  language: "Languages of the text",
  textSource: "Where the text is from",
  textLicence: "Licence of the text",
  modelLicence: "Licence of the model",
  help: {
    purpose: "one or two sentences; visitors read them before anything else",
    description: "an empty line begins a new paragraph",
    who: "people, a group, a school",
    contact: "an address of mail or of a page",
    link: "a page’s address",
    language: "as codes: en, de",
    textSource: "its title, author or address",
    textLicence: "e.g. public domain, CC BY 4.0",
    modelLicence: "e.g. Apache 2.0, CC BY-SA 4.0",
  },
} as const;

export const INNER: Record<InnerName, string> = { adamw: "AdamW", muon: "Muon" };

export const STATE: Record<RunState, string> = {
  running: "Running",
  paused: "Paused",
  finished: "Finished",
};

/** Why a delta or a request was refused, for an operator who has not read the protocol. */
export const REFUSED: Record<ErrorCode, string> = {
  "bad-request": "The request lacked a field or had one out of range.",
  "bad-json": "The request was not JSON.",
  "bad-frame": "The delta’s bytes were not a frame: cut off, or not made by our client.",
  "bad-signature": "The volunteer’s signature did not fit what was sent.",
  "bad-ticket": "The ticket was not signed by this server, or was changed.",
  "not-signed-in": "An operator’s request came without a session, or with one that has ended.",
  "foreign-origin": "An operator’s request came from another site’s page.",
  "other-origin": "The volunteer came by an address that --origin does not name.",
  "other-run": "The request was meant for another run.",
  "server-nonce-expired":
    "Signed before the server started, or long ago. An honest page signs again at once.",
  "not-your-ticket": "The ticket belongs to another volunteer.",
  quarantined: "A delta of this volunteer failed an audit. Nothing is accepted from it for a while.",
  banned: "You have banned this volunteer; nothing is accepted from it.",
  "not-found": "The request was for something that is not here, or is no longer kept.",
  "method-not-allowed": "The address does not take requests of this kind.",
  "not-your-audit": "A volunteer answered an audit that others were asked to make.",
  "audit-answered": "A volunteer answered an audit a second time.",
  "audit-over": "An audit’s answer came too late: it was made by others, or the server had restarted.",
  "lease-expired":
    "The work came after its deadline, and its text was given to someone else. Slow or sleeping devices.",
  "ticket-used": "The ticket had been used already.",
  "nonce-reused": "A request was sent a second time.",
  stale: "The work was based on a version too old to merge. Slow devices, or very quick versions.",
  "future-version": "The work named a version that does not exist yet.",
  "id-taken": "A browser announced an id that belongs to another one.",
  "code-used": "Made with a code that another page had used",
  "name-taken": "A new run’s name was another run’s.",
  "too-large": "The body was larger than any delta of this model.",
  "bad-range": "The request was for a part of a file beyond its end.",
  "protocol-mismatch": "A page from before, or after, an update of this server. It reloads itself.",
  "wrong-codec": "Compressed in another way than this run’s deltas are.",
  "unknown-codec": "Compressed in a way this server does not know.",
  "unknown-frame": "The delta was in a newer frame format than this server knows.",
  "wrong-shape": "The delta was of another model’s size.",
  "not-finite": "The delta held NaN or infinity: a device that computes wrongly, or an attack.",
  "norm-too-large": "The delta was larger than honest training can be.",
  "too-many-requests": "Asked too often.",
  "internal-error": "The server’s own fault; its log says more.",
  "run-paused": "The run was paused.",
  "run-finished": "The run was finished.",
  "no-run": "There was no run.",
  "no-work": "All text was leased out just then.",
  "not-durable": "The disk did not confirm the write, so no receipt was given.",
  "no-space": "The disk was full, so no receipt was given.",
  "wrong-offset": "A piece of an uploaded text did not begin where the last one ended.",
  "upload-exists": "Another text was being uploaded.",
  "not-ready": "Something else had to be finished first.",
  "unknown-type": "A file of a kind that is not read.",
  "empty-text": "The text was empty.",
  "not-utf8": "The text was neither UTF-8 nor UTF-16.",
  "wrong-hash": "What arrived was not what was sent.",
};
