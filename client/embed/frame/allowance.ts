import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import { asNumber, asObject } from "../../../protocol/guards.ts";
import type { ChoiceStorage } from "../../volunteer/session/choices.ts";

const KEY = "murmuration-traffic";

export interface AllowanceOptions {
  /** Bytes a day; null for no bound. */
  readonly budget: number | null;
  /** Bytes either way since the page was opened. */
  readonly traffic: () => number;
  readonly storage: ChoiceStorage | undefined;
  /** Today's date, as text. */
  readonly today: () => string;
}

/** Whether the day's allowance is used up, by this page and those before it today, as far as storage remembers. */
export function allowance({ budget, traffic, storage, today }: AllowanceOptions): ReadonlySignal<boolean> {
  const day = today();
  const before = usedBefore(storage, day);
  const used = signal(before);
  if (budget !== null) {
    effect(() => {
      const now = traffic();
      if (now === 0) return; // before consent nothing is kept
      used.value = before + now;
      try {
        storage?.setItem(KEY, JSON.stringify({ day, bytes: used.value }));
      } catch {
        // denied or full: the allowance then counts this page alone
      }
    });
  }
  return computed(() => budget !== null && used.value >= budget);
}

function usedBefore(storage: ChoiceStorage | undefined, day: string): number {
  try {
    const kept = asObject(JSON.parse(storage?.getItem(KEY) ?? "null"), "traffic");
    return kept.day === day ? asNumber(kept.bytes, "bytes", 0, Number.MAX_SAFE_INTEGER) : 0;
  } catch {
    return 0;
  }
}
