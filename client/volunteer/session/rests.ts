import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { asObject } from "../../../protocol/guards.ts";

/**
 * Signs from the machine and the clock that training should rest. `undefined` where the browser does not
 * tell (all but Chromium, mostly), and then the page offers no such choice.
 */
export interface Rests {
  /** The page is out of sight. */
  readonly hidden: ReadonlySignal<boolean>;
  /** The visitor went to another page; the browser may keep this one, frozen, and bring it back. */
  readonly left: ReadonlySignal<boolean>;
  readonly onBattery: ReadonlySignal<boolean | undefined>;
  /** The visitor asked the browser to save data. */
  readonly savesData: ReadonlySignal<boolean | undefined>;
  /** The processor has been at its limit for a while (Compute Pressure). */
  readonly hot: ReadonlySignal<boolean | undefined>;
  /** Minutes since midnight, by the visitor's clock. */
  readonly minute: ReadonlySignal<number>;
  /** The visitor's clock: milliseconds since 1970, to half a minute. */
  readonly now: ReadonlySignal<number>;
}

/** The rests of this browser. */
export function browserRests(): Rests {
  const now = nowSignal();
  return {
    hidden: signalOf(document, "visibilitychange", () => document.hidden),
    left: leftSignal(),
    onBattery: batterySignal(navigator),
    savesData: saverSignal(navigator),
    hot: heatSignal(globalThis),
    minute: computed(() => minuteOf(now.value)),
    now,
  };
}

/** What `read` gives, now and after each such event. */
function signalOf<T>(target: EventTarget, event: string, read: () => T): ReadonlySignal<T> {
  const now = signal(read());
  target.addEventListener(event, () => {
    now.value = read();
  });
  return now;
}

function leftSignal(): ReadonlySignal<boolean> {
  const left = signal(false);
  addEventListener("pagehide", () => {
    left.value = true;
  });
  addEventListener("pageshow", () => {
    left.value = false;
  });
  return left;
}

function batterySignal(device: object): ReadonlySignal<boolean | undefined> {
  const onBattery = signal<boolean | undefined>(undefined);
  if ("getBattery" in device && typeof device.getBattery === "function") {
    void Promise.resolve(device.getBattery())
      .then((battery: unknown) => {
        if (!(battery instanceof EventTarget)) return;
        const read = () => {
          onBattery.value = asObject(battery, "battery").charging === false;
        };
        battery.addEventListener("chargingchange", read);
        read();
      })
      .catch(() => {}); // a policy forbids it: as if the browser did not tell
  }
  return onBattery;
}

function saverSignal(device: object): ReadonlySignal<boolean | undefined> {
  const connection = "connection" in device ? device.connection : undefined;
  return connection instanceof EventTarget && "saveData" in connection
    ? signalOf(connection, "change", () => connection.saveData === true)
    : signal(undefined);
}

/** Milliseconds between two looks at the processor's pressure. */
const LOOK_EVERY_MS = 5_000;
/** Looks in a row at "critical" that mean heat: a page that loads is no reason to rest. */
const HOT_AFTER = 4;
/** Looks in a row below it that mean it has passed. Fewer would start and stop training by turns. */
const COOL_AFTER = 12;

function heatSignal(world: object): ReadonlySignal<boolean | undefined> {
  const hot = signal<boolean | undefined>(undefined);
  if (!("PressureObserver" in world) || typeof world.PressureObserver !== "function") return hot;
  try {
    const hear = heatTeller((now) => {
      hot.value = now;
    });
    // The API has no types in TypeScript yet: every value read of it is checked.
    const observer: unknown = Reflect.construct(world.PressureObserver, [
      (records: unknown) => hear(newestState(records)),
    ]);
    const { observe } = asObject(observer, "observer");
    if (typeof observe !== "function") return hot;
    Promise.resolve(observe.call(observer, "cpu", { sampleInterval: LOOK_EVERY_MS }))
      .then(() => {
        hot.value ??= false;
      })
      .catch(() => {}); // a policy forbids it, or there is no such source here
  } catch {
    // as if the browser did not tell
  }
  return hot;
}

function newestState(records: unknown): unknown {
  const newest: unknown = Array.isArray(records) ? records.at(-1) : undefined;
  return typeof newest === "object" && newest !== null && "state" in newest ? newest.state : undefined;
}

/** Turns single looks at the pressure into heat that lasts, told when it changes. */
export function heatTeller(tell: (hot: boolean) => void): (state: unknown) => void {
  let hot = false;
  let against = 0;
  return (state) => {
    against = (state === "critical") === hot ? 0 : against + 1;
    if (against < (hot ? COOL_AFTER : HOT_AFTER)) return;
    hot = !hot;
    against = 0;
    tell(hot);
  };
}

const MINUTE_MS = 60_000;

function nowSignal(): ReadonlySignal<number> {
  const now = signal(Date.now());
  setInterval(() => {
    now.value = Date.now();
  }, MINUTE_MS / 2);
  return now;
}

function minuteOf(now: number): number {
  const date = new Date(now);
  return date.getHours() * 60 + date.getMinutes();
}

/** Hours of the day, in minutes since midnight; `from` after `to` spans midnight. */
export interface Hours {
  readonly from: number;
  readonly to: number;
}

/** Whether a minute of the day is within the hours. Equal ends mean all day. */
export function within({ from, to }: Hours, minute: number): boolean {
  if (from === to) return true;
  return from < to ? minute >= from && minute < to : minute >= from || minute < to;
}
