import { asBoolean, asInteger, asNumber, asObject, asText, type Json } from "../../../protocol/guards.ts";
import { ANYWHERE } from "../../ui/anywhere.ts";
import type { Hours } from "./rests.ts";

/** The visitor's choices, as this browser remembers them between visits. */
export interface Choices {
  /** The run the visitor agreed to help; another run asks again. Empty before any consent. */
  readonly consented: string;
  /** Whether the visitor last started or stopped. */
  readonly wanted: "run" | "pause" | "stop";
  /** When a pause is over: milliseconds since 1970; undefined: when the visitor says so. */
  readonly pausedUntil: number | undefined;
  /** The part of the time to train, (0, 1]. */
  readonly share: number;
  readonly pauseWhenHidden: boolean;
  readonly pauseOnBattery: boolean;
  /** Rest while the browser is asked to save data. */
  readonly pauseOnSaver: boolean;
  /** Rest while the machine is at its limit. */
  readonly pauseOnHeat: boolean;
  /** Train only within these hours; undefined: at any. */
  readonly hours: Hours | undefined;
  /** Whether the page waits for the visitor's word each time it is opened. */
  readonly startPaused: boolean;
  /** Whether the screen stays awake while training. */
  readonly keepAwake: boolean;
  /** Whether to share with other visitors, who then see this one's address: a consent of its own. */
  readonly withPeers: boolean;
}

/** Choices that the visitor may change at any time. */
export type Tuning = Omit<Choices, "consented" | "wanted" | "pausedUntil">;

/** Ready answers to "how much?". They leave what has nothing to do with that alone. */
export const PRESETS = {
  quiet: {
    share: 0.2,
    pauseWhenHidden: true,
    pauseOnBattery: true,
    pauseOnSaver: true,
    pauseOnHeat: true,
  },
  /** Half of the time: the machine stays pleasant to use, and the fan mostly quiet. */
  balanced: {
    share: 0.5,
    pauseWhenHidden: false,
    pauseOnBattery: true,
    pauseOnSaver: true,
    pauseOnHeat: true,
  },
  allIn: {
    share: 1,
    pauseWhenHidden: false,
    pauseOnBattery: false,
    pauseOnSaver: false,
    pauseOnHeat: false,
  },
} as const satisfies Record<string, Omit<Tuning, "hours" | "startPaused" | "keepAwake" | "withPeers">>;

export type Preset = keyof typeof PRESETS;
export const PRESET_NAMES = ["quiet", "balanced", "allIn"] as const satisfies readonly Preset[];

/** The preset that the choices amount to; undefined for a mixture of the visitor's own. */
export function presetOf(choices: Tuning): Preset | undefined {
  const keys = ["share", "pauseWhenHidden", "pauseOnBattery", "pauseOnSaver", "pauseOnHeat"] as const;
  return PRESET_NAMES.find((name) => keys.every((key) => PRESETS[name][key] === choices[key]));
}

export const DEFAULT_CHOICES: Choices = {
  consented: "",
  wanted: "stop",
  pausedUntil: undefined,
  ...PRESETS.balanced,
  hours: undefined,
  startPaused: false,
  keepAwake: false,
  withPeers: false,
};

export const MIN_SHARE = 0.1;

const MINUTES = 24 * 60;
const KEY = "murmuration-choices";

/** Where choices are kept: localStorage, or nothing where the browser denies it. */
export type ChoiceStorage = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/** Reads what was chosen. Storage that is denied or holds something else counts as never asked. */
export function loadChoices(storage: ChoiceStorage | undefined): Choices {
  try {
    const json = asObject(JSON.parse(storage?.getItem(KEY) ?? "null"), "choices");
    const wanted = json.wanted;
    return {
      consented: asText(json.consented, "consented", 64),
      wanted: wanted === "run" || wanted === "pause" ? wanted : "stop",
      pausedUntil:
        json.pausedUntil === undefined
          ? undefined
          : asInteger(json.pausedUntil, "pausedUntil", 0, Number.MAX_SAFE_INTEGER),
      share: asNumber(json.share, "share", MIN_SHARE, 1),
      pauseWhenHidden: asBoolean(json.pauseWhenHidden, "pauseWhenHidden"),
      pauseOnBattery: asBoolean(json.pauseOnBattery, "pauseOnBattery"),
      pauseOnSaver: asBoolean(json.pauseOnSaver, "pauseOnSaver"),
      pauseOnHeat: asBoolean(json.pauseOnHeat, "pauseOnHeat"),
      hours: json.hours === undefined ? undefined : parseHours(asObject(json.hours, "hours")),
      startPaused: json.startPaused === true,
      keepAwake: json.keepAwake === true,
      withPeers: json.withPeers === true,
    };
  } catch {
    return DEFAULT_CHOICES;
  }
}

const parseHours = ({ from, to }: Json): Hours => ({
  from: asInteger(from, "from", 0, MINUTES - 1),
  to: asInteger(to, "to", 0, MINUTES - 1),
});

/** Keeps the choices; where storage is full or denied they last as long as the page. */
export function saveChoices(storage: ChoiceStorage | undefined, choices: Choices): void {
  try {
    storage?.setItem(KEY, JSON.stringify(choices));
  } catch {
    // Denied or full: the visitor is asked again next time, which is the safe side.
  }
}

/** Leaves nothing of the choices, the consent among them. */
export function forgetChoices(storage: ChoiceStorage | undefined): void {
  try {
    storage?.removeItem(KEY);
    storage?.removeItem(ANYWHERE);
  } catch {
    // nothing could be kept either
  }
}
