import { formatCount, formatProbability, plural } from "../../ui/format.ts";

/** The strings of the page of the operator of all runs. */
export const text = {
  title: "Runs of this server",
  signedInAs: (name: string) => `Signed in as ${name}`,
  lobby: "Visitors’ first page",
  columns: ["Run", "State", "How far", "Here now", "What you can do"],
  state: {
    running: "running",
    paused: "paused",
    finished: "finished",
    "not-made": "not made yet",
    failed: "not served",
  },
  far: (part: number, version: number) =>
    `${formatProbability(Math.min(1, part))}, version ${formatCount(version)}`,
  here: (count: number) => (count === 0 ? "nobody" : plural(count, "volunteer")),
  none: "There is no run yet. Make the first one.",
  create: "Make a run",
  createHelp:
    "Its name is part of its address, /r/NAME/, and stays: 1 to 40 small letters, digits and hyphens. You then bring its text " +
    "and choose its size.",
  name: "Name",
  createYes: "Make it",
  made: (id: string) => `${id} is made. It waits for its text.`,
  operate: "Operate",
  operateOf: (id: string) => `Operate ${id}`,
  make: "Bring its text",
  makeOf: (id: string) => `Bring its text: ${id}`,
  again: "Try again",
  againOf: (id: string) => `Try again to open ${id}`,
  opened: (id: string) => `${id} is open.`,
  archive: "Archive…",
  archiveOf: (id: string) => `Archive ${id}`,
  archiveSure: (id: string) =>
    `This ends ${id} for good: it gives no work any more, and deltas that wait are discarded. Its model, curve and proofs stay.`,
  archiveYes: "Archive it",
  archived: (id: string) => `${id} is archived.`,
  remove: "Delete…",
  removeOf: (id: string) => `Delete ${id}`,
  removeSure: (id: string) =>
    `This removes ${id} and all its files: its text, its model and its history. Nothing of it can be had again but from a ` +
    "backup. To go on, write its name:",
  removeName: "The run’s name",
  removeYes: "Delete it for good",
  removed: (id: string) => `${id} is deleted.`,
  keep: "Keep it",
  log: "What was done",
} as const;
