import type { Words } from "../../../language/catalogue.ts";
import { formatCount, formatPart, plural } from "../../../ui/format.ts";
import type { Proven } from "../proofs.ts";

/** Strings about proofs. */
export const words = {
  waiting: "When your work is in a version of the model, the proof of it appears here.",
  proven: (version: number) => `Proven: your work is in version ${formatCount(version)}.`,
  meaning: ({ version, place, of, share }: Proven) =>
    `The server signed that version ${formatCount(version)} was made of ${plural(of, "delta")}, ` +
    `and that yours is number ${formatCount(place)}, with ${formatPart(share)} of the ` +
    "weight. This page checked the signature. Each version’s record names the one before it, so the server cannot quietly " +
    "take this back.",
  delta: "Your delta’s fingerprint (SHA-256):",
  record: (version: number) => `The record of version ${formatCount(version)}, as signed`,
  broken:
    "The server’s proof for your work did not hold: its signature is not the one this run began with, or it names other " +
    "work than yours. You may want to stop.",
} as const;

export type ProofWords = Words<typeof words>;
