import { asBoolean, asNumber, asObject, asText } from "../../protocol/guards.ts";

/** What the visitor chose, as this browser remembers it between visits. */
export interface Choices {
  /** The run the visitor agreed to help; another run asks again. Empty before any consent. */
  readonly consented: string;
  /** What the visitor last asked for. */
  readonly wanted: "run" | "pause" | "stop";
  /** The part of the time to train, (0, 1]. */
  readonly share: number;
  readonly pauseWhenHidden: boolean;
  readonly pauseOnBattery: boolean;
}

/** Half of the time: the machine stays pleasant to use, and the fan mostly quiet. */
export const DEFAULT_CHOICES: Choices = {
  consented: "",
  wanted: "stop",
  share: 0.5,
  pauseWhenHidden: false,
  pauseOnBattery: true,
};

export const LEAST_SHARE = 0.1;

const KEY = "murmuration-choices";

/** Where choices are kept: localStorage, or nothing where the browser denies it. */
export type ChoiceStorage = Pick<Storage, "getItem" | "setItem">;

/** Reads what was chosen. Storage that is denied or holds something else counts as never asked. */
export function loadChoices(storage: ChoiceStorage | undefined): Choices {
  try {
    const json = asObject(JSON.parse(storage?.getItem(KEY) ?? "null"), "choices");
    const wanted = json.wanted;
    return {
      consented: asText(json.consented, "consented", 64),
      wanted: wanted === "run" || wanted === "pause" ? wanted : "stop",
      share: asNumber(json.share, "share", LEAST_SHARE, 1),
      pauseWhenHidden: asBoolean(json.pauseWhenHidden, "pauseWhenHidden"),
      pauseOnBattery: asBoolean(json.pauseOnBattery, "pauseOnBattery"),
    };
  } catch {
    return DEFAULT_CHOICES;
  }
}

/** Keeps the choices; where storage is full or denied they last as long as the page. */
export function saveChoices(storage: ChoiceStorage | undefined, choices: Choices): void {
  try {
    storage?.setItem(KEY, JSON.stringify(choices));
  } catch {
    // Denied or full: the visitor is asked again next time, which is the safe side.
  }
}

/** The page's localStorage, or undefined where reading the property alone throws (blocked third-party data). */
export function browserStorage(): Storage | undefined {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}
