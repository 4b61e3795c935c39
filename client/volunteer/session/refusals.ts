import { type ReadonlySignal, signal } from "@preact/signals";
import { type ErrorCode, isErrorCode } from "../../../protocol/errors.ts";
import { asArray, asInteger, asObject, asText } from "../../../protocol/guards.ts";
import type { ChoiceStorage } from "./choices.ts";

/** Own work that the server did not take: how often and when last, by reason. */
export interface Refused {
  readonly code: ErrorCode;
  readonly times: number;
  /** Wall clock, in milliseconds. */
  readonly last: number;
}

/** Refusals of a run, kept in this browser alone: the server remembers their number, and no longer than it runs. */
export interface KeptRefusals {
  readonly list: ReadonlySignal<readonly Refused[]>;
  /** Tells which run the page is of; those of another one are let go. */
  enter(run: string): void;
  add(code: ErrorCode): void;
  forget(): void;
}

const KEY = "murmuration-refused";
/** Reasons kept: more than there are codes. */
const MAX_KEPT = 100;

export function keptRefusals(storage: ChoiceStorage | undefined, now: () => number): KeptRefusals {
  const list = signal<readonly Refused[]>([]);
  let run = "";

  function set(next: readonly Refused[]) {
    list.value = next;
    try {
      if (next.length === 0) storage?.removeItem(KEY);
      else storage?.setItem(KEY, JSON.stringify({ run, refused: next }));
    } catch {
      // denied or full: they last as long as the page
    }
  }

  return {
    list,
    enter(id) {
      if (id === run) return;
      run = id;
      const kept = load(storage);
      list.value = kept.run === id ? kept.refused : [];
    },
    add(code) {
      const before = list.value.find((one) => one.code === code)?.times ?? 0;
      set([{ code, times: before + 1, last: now() }, ...list.value.filter((one) => one.code !== code)]);
    },
    forget: () => set([]),
  };
}

/** Reads what an earlier visit kept; anything malformed counts as nothing. */
function load(storage: ChoiceStorage | undefined): { run: string; refused: readonly Refused[] } {
  try {
    const json = asObject(JSON.parse(storage?.getItem(KEY) ?? "null"), "refused");
    const refused = asArray(json.refused, "refused", MAX_KEPT).flatMap((value) => {
      const one = asObject(value, "refused");
      if (!isErrorCode(one.code)) return []; // of an earlier release
      const times = asInteger(one.times, "times", 1, Number.MAX_SAFE_INTEGER);
      return [{ code: one.code, times, last: asInteger(one.last, "last", 0, Number.MAX_SAFE_INTEGER) }];
    });
    return { run: asText(json.run, "run", 64), refused };
  } catch {
    return { run: "", refused: [] };
  }
}
