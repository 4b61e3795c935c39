import type { Op } from "../ops.ts";
import { adamWTable } from "./kernels/adamw.ts";
import { muonTable } from "./muon.ts";

/** The update's tables, and where each begins in words of the tokens' arena: behind a micro-batch's integers. */
export interface Tables {
  readonly adamW: number;
  readonly muon: number;
  readonly words: Uint32Array<ArrayBuffer>;
}

/** The tables of an update, to be written once from word `from` on. */
export function tablesOf(update: readonly Op[], from: number): Tables {
  const adamW = update.find((op) => op.op === "adamw");
  const muon = update.find((op) => op.op === "muon");
  const first = adamW ? adamWTable(adamW) : new Uint32Array();
  const second = muon ? muonTable(muon) : new Uint32Array();
  const words = new Uint32Array(first.length + second.length);
  words.set(first);
  words.set(second, first.length);
  return { adamW: from, muon: from + first.length, words };
}
