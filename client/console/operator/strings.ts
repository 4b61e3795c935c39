import type { OperatorAction, Overview, Tuning } from "../../../protocol/operator.ts";
import { formatCount } from "../../ui/format.ts";

/** The operator's page's strings. */
export const text = {
  loading: "Asking the server…",
  signedOut: "You are not signed in",
  signedOutHelp:
    "This page is for whoever runs this server. Open the one-time link that the server printed when it started, " +
    "or print a new one on its machine:",
  linkCommand: "murmuration operator-link DIR",
  away: "The server does not answer. What is shown may be old; this page keeps trying.",
  inPlace: (who: string) => `${who} This page keeps trying.`,
  failed: (why: string) => `That did not work: ${why}`,
  signOut: "Sign out",
  signedInAs: (name: string) => `Signed in as ${name}`,
  publicPage: "Public status page",
  allRuns: "All runs",
  volunteersPage: "Volunteers’ page",
  draining: "Draining",
  alerts: "Needs attention",

  heldOut: "Held-out loss",
  onAdded: (loss: string) => `; on text that was added ${loss}`,
  version: "Version",
  versionHelp: (took: string) => `the newest took ${took}`,
  volunteers: "Volunteers",
  volunteersHelp: "in the last minute",
  speed: "Tokens a second",
  speedHelp: "merged, over the last minute",
  tokens: "Tokens merged",
  budget: (share: string, budget: string) => `${share} of ${budget}`,
  refused: "Deltas refused",
  refusedHelp: (merged: string) => `${merged} merged`,

  audits: "Audits",
  auditsHelp: (bad: number, { agreement, server, wrong }: Overview["sharedAudits"]) =>
    `passed; ${formatCount(bad)} failed` +
    (agreement + server === 0
      ? ""
      : `. By volunteers ${formatCount(agreement)}, settled here ${formatCount(server)}; ${formatCount(wrong)} wrong answers`),

  curve: "Loss",
  pace: "How long versions take",
  overTokens: "Over tokens",
  overTime: "Over time served",
  axis: "The curves’ horizontal axis",
  seriesHeldOut: "held-out",
  seriesVolunteers: "volunteers, as they report",
  seriesPace: "seconds a version",
  chartWait: "The first version is still being made.",
  curveSummary: (heldOut: string, volunteers: string) =>
    `Curves of the loss: held-out now ${heldOut}, volunteers ${volunteers}`,
  paceSummary: (took: string) => `Curve of seconds a version; the newest took ${took}`,

  completions: "Let anybody have the current version write, at /v1/completions",
  completionsHelp: "in the form of OpenAI’s API; one text at a time, and never before a version",
  controls: "Run it",
  start: "Start",
  pause: "Pause",
  drain: "Drain",
  finish: "Finish…",
  controlsHelp:
    "Pause gives out no more work; work that comes back is kept. Drain first waits for outstanding tickets. " +
    "Volunteers see that the run is paused, and stay.",
  finishSure: "A finished run never gives out work again. Waiting deltas are discarded.",
  finishYes: "Finish for good",
  finishNo: "Keep it going",
  finished: "The run is finished.",
  rollback: "Roll back…",
  rollbackSure: (version: string) =>
    `A new version with the weights of version ${version} is published. Waiting deltas are discarded.`,
  rollbackYes: (version: string) => `Go back to version ${version}`,
  rollbackNo: "Leave it as it is",
  rollbackTo: "To the stored version",
  rollbackHelp: "The run continues from that version’s weights; its history is kept.",
  ban: "Ban…",
  banSure: "This volunteer gets no work, and nothing it sends is accepted.",
  banYes: "Ban",
  banNo: "Cancel",
  forgive: "Forgive",
  banLabel: "A volunteer’s key",
  banHelp:
    "Until you forgive it, a banned key gets no work, and nothing it sends is accepted. The newest are listed below; " +
    "/api/versions/N lists the volunteers whose deltas are in version N.",

  settings: "Settings you can change now",
  settingsHelp:
    "They apply from the next ticket and the next version. Everything else is fixed once a run begins.",
  describe: "What people read",
  describeHelp: "Shown before anybody agrees to train, on the status page, and in the files of the model.",
  save: "Save",
  noPurpose: "This run does not say what it is for. People give their machine to a purpose.",
  sayPurpose: "Say it",

  apply: "Apply",
  applied: "Applied.",

  here: "Volunteers here now",
  noneHere: "Nobody just now.",
  byDevice: "Device",
  byBrowser: "Browser",
  byBackend: "Trains on",
  staleness: "How late deltas come",
  stalenessHelp: "Merged deltas of the newest versions, by how many versions were published meanwhile",
  stale: (late: number) => (late === 0 ? "in time" : late >= 4 ? "4 late or more" : `${late} late`),

  machine: "This server",
  sent: "Sent",
  received: "Received",
  perSecond: (rate: string) => `${rate}/s`,
  delay: "Event-loop delay",
  delayHelp: (p50: string) => `99th percentile; median ${p50}`,
  memory: "Memory",
  disk: "Disk free",
  diskOf: (total: string) => `of ${total}`,
  up: "Up for",

  model: "Download the model",
  modelHelp: (version: string) => `Version ${version}, as it is now.`,
  huggingFace: "Hugging Face folder (ZIP)",
  ggufF32: "GGUF, exact (f32)",
  ggufF16: "GGUF, half the size (f16)",

  refusedTitle: "Refused, and why",
  activity: "Activity",
  noActivity: "Nothing since this page was opened.",
  activityVersion: (version: string, merged: string, came: string, loss: string, took: string) =>
    `Version ${version}: ${merged} of ${came} deltas merged${loss}, ${took}.`,
  activityLoss: (loss: string) => `, loss ${loss}`,
  takeSpeeds: "Take measurements",
  refuseSpeeds: "Take no more",
  forgetSpeeds: "Forget them all",
  log: "Operators’ actions",
  noLog: "Nobody has changed anything yet.",
  logColumns: ["When", "Who", "What"],
} as const;

export const SETTING: Record<keyof Tuning, { readonly name: string; readonly help: string }> = {
  quorum: { name: "Quorum", help: "the fewest deltas that close a version" },
  leaseSeconds: { name: "Lease", help: "seconds a volunteer has for a ticket" },
  tokenBudget: { name: "Token budget", help: "the run is finished when this many tokens are merged" },
  learningRate: { name: "Learning rate", help: "the highest inner rate" },
  finalRate: { name: "Final rate", help: "the part of that rate at the end of the cosine" },
};

/** The action, for the line that reports it. */
export function doneLine(action: OperatorAction): string {
  switch (action.action) {
    case "start":
      return "Started.";
    case "pause":
      return "Paused.";
    case "drain":
      return "Draining: the run pauses once no ticket is outstanding.";
    case "finish":
      return "Finished.";
    case "take-speeds":
      return "Visitors may send measurements.";
    case "refuse-speeds":
      return "Measurements are not taken any more.";
    case "forget-speeds":
      return "All measurements are forgotten.";
    case "completions":
      return action.on ? "The model writes for whoever asks." : "The model writes for nobody any more.";
    case "tune":
      return text.applied;
    case "describe":
      return "Saved: visitors read this now.";
    case "rollback":
      return `Rolled back to version ${action.version}.`;
    case "ban":
      return "Banned.";
    case "forgive":
      return "Forgiven.";
  }
}

/** The strings of the list of volunteers. */
export const roster = {
  title: "Volunteers",
  help:
    "Up to 60 volunteers: those kept out, those with refused work, and those seen last. A key is one browser’s; " +
    "a name is one that its owner chose.",
  none: "No volunteer has been here since the server started, and none is kept out.",
  table: "Table of volunteers",
  columns: ["Volunteer", "Merged", "Refused", "Standing", "Ruling"],
  tokens: (count: string) => `${count} tokens`,
  linked: (keys: string, tokens: string) => `with ${keys} linked ${keys === "1" ? "key" : "keys"}: ${tokens}`,
  nothing: "–",
  discarded: (count: string) => `${count} × accepted, then discarded`,
  kind: (browser: string, device: string, backend: string) =>
    `${browser}, ${device}${backend === "unknown" ? "" : `, ${backend}`}`,
  seen: (ago: string) => `seen ${ago} ago`,
  notSeen: "not seen since the server started",
  standing: {
    banned: "Banned by you",
    quarantined: "In quarantine: its work failed an audit",
    trusted: "Passed an audit",
    new: "New: not audited yet",
  },
  outFor: (left: string) => `for another ${left}`,
  ban: "Ban…",
  banWhom: (who: string) => `Ban ${who}`,
  banSure: (who: string) => `Until you forgive it, ${who} gets no work, and nothing it sends is accepted.`,
  banYes: "Ban",
  banNo: "Cancel",
  forgive: "Forgive",
  forgiveWhom: (who: string) => `Forgive ${who}`,
} as const;

const LINK = /^#link=([\w-]{1,100})$/;

/** The secret of a one-time link in a page's fragment. */
export const linkIn = (hash: string): string | undefined => LINK.exec(hash)?.[1];

/** Why a one-time link did not sign in, and what to do. */
export function linkRefusedLine({
  code,
  message,
}: {
  readonly code: string;
  readonly message: string;
}): string {
  switch (code) {
    case "not-signed-in":
      return "This link was used before, or is more than a quarter of an hour old. Print a new one:";
    case "foreign-origin":
      return (
        "The server took this page for another site’s, because a proxy in front of it changes the address. Start the " +
        "server with --trust-proxy, and let the proxy send X-Forwarded-Host and X-Forwarded-Proto (nginx: " +
        "proxy_set_header X-Forwarded-Host $http_host; proxy_set_header X-Forwarded-Proto $scheme;). " +
        "The link was not used up: open it again, or print a new one:"
      );
    case "too-many-requests":
      return "Too many links were tried from this address. Wait a minute, then open the link again:";
    case "intermediary":
      return `${message} The link did not reach the server: open it again, or print a new one:`;
    default:
      return `The server did not accept the link: ${message}. Open it again, or print a new one:`;
  }
}
