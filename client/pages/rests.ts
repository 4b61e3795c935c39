import { type ReadonlySignal, signal } from "@preact/signals";
import { asObject } from "../../protocol/guards.ts";

/** Whether the page is out of sight. */
export function hiddenSignal(page: Document = document): ReadonlySignal<boolean> {
  const hidden = signal(page.hidden);
  page.addEventListener("visibilitychange", () => {
    hidden.value = page.hidden;
  });
  return hidden;
}

/**
 * Whether the machine runs on its battery; undefined where the browser does not tell (all but Chromium), and
 * then the page offers no such choice.
 */
export function batterySignal(device: Navigator = navigator): ReadonlySignal<boolean | undefined> {
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
