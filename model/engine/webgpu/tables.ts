import { adamWTable } from "./kernels/adamw.ts";
import type { DeviceOp } from "./kernels/device-op.ts";
import { muonTable } from "./muon.ts";

/** The update's tables: `words` of the tokens' arena from word `from` on, behind a micro-batch's integers. */
export interface Tables {
  readonly from: number;
  readonly words: Uint32Array<ArrayBuffer>;
  /** Where the table of an op begins in the arena. */
  readonly places: ReadonlyMap<DeviceOp, number>;
}

/** The tables of an update, to be written once from word `from` on. */
export function tablesOf(update: readonly DeviceOp[], from: number): Tables {
  const places = new Map<DeviceOp, number>();
  const tables: Uint32Array<ArrayBuffer>[] = [];
  let end = from;
  for (const op of update) {
    const table = op.op === "adamw" ? adamWTable(op) : op.op === "muon" ? muonTable(op) : undefined;
    if (!table) continue;
    places.set(op, end);
    tables.push(table);
    end += table.length;
  }
  const words = new Uint32Array(end - from);
  let at = 0;
  for (const table of tables) {
    words.set(table, at);
    at += table.length;
  }
  return { from, words, places };
}
