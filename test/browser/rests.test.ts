import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { ROUTES } from "../../protocol/routes.ts";
import { type SmallRun, startSmallRun } from "../harness/small-run.ts";
import { launchChromium } from "./launch.ts";

/**
 * A volunteers' page on a real server and run, in a browser whose battery, connection, processor and visibility a test
 * may set: it rests for each with a line that says why, goes on when that has passed, and trains anyway if told to.
 */
let run: SmallRun;
let browser: Browser;
let page: Page;
let sent = 0;

/** Puts a machine into the page that does what the test says: Chromium's own cannot be moved from here. */
function fakeMachine(): void {
  const battery = Object.assign(new EventTarget(), { charging: true });
  const connection = Object.assign(new EventTarget(), { saveData: false });
  const world: { hear?: (records: { state: string }[]) => void; hidden: boolean } = { hidden: false };
  class PressureObserver {
    constructor(hear: (records: { state: string }[]) => void) {
      world.hear = hear;
    }
    async observe(): Promise<void> {}
  }
  Object.defineProperty(navigator, "getBattery", { value: async () => battery });
  Object.defineProperty(navigator, "connection", { value: connection });
  Object.defineProperty(document, "hidden", { get: () => world.hidden });
  Object.assign(globalThis, {
    PressureObserver,
    machine: {
      battery(on: boolean) {
        battery.charging = !on;
        battery.dispatchEvent(new Event("chargingchange"));
      },
      saver(on: boolean) {
        connection.saveData = on;
        connection.dispatchEvent(new Event("change"));
      },
      // Heat is pressure that lasts (client/volunteer/session/rests.ts): so many looks in a row.
      heat(on: boolean) {
        for (let look = 0; look < 12; look++) world.hear?.([{ state: on ? "critical" : "nominal" }]);
      },
      hidden(on: boolean) {
        world.hidden = on;
        document.dispatchEvent(new Event("visibilitychange"));
      },
    },
  });
}

const machine = (what: string, on: boolean) => page.evaluate(`machine.${what}(${on})`);
const line = (words: string) => page.locator("p.phase").getByText(words).waitFor();
/** Two more deltas: the first may have been on its way. */
const trains = () => {
  const before = sent;
  return expect.poll(() => sent, { timeout: 20_000 }).toBeGreaterThan(before + 1);
};

beforeAll(async () => {
  [run, browser] = await Promise.all([startSmallRun({}), launchChromium()]);
  page = await browser.newPage();
  await page.addInitScript(fakeMachine);
  page.on("response", (response) => {
    if (new URL(response.url()).pathname === ROUTES.deltas && response.ok()) sent++;
  });
  await page.goto(`${run.server.origin}/?device=wasm`);
  await page.getByRole("button", { name: "Start training" }).click();
  await page.getByText("Fine-tune").click();
});
afterAll(async () => {
  await browser.close();
  await run.end();
});
beforeEach(trains); // the control: it trains while nothing speaks against it

it.each([
  ["battery", "Pause on battery", "Paused while the machine is on battery."],
  ["saver", "Pause while this browser saves data", "Paused while this browser saves data."],
  ["heat", "Pause when the machine is hot or busy", "Paused while the machine is hot or busy."],
  ["hidden", "Pause when this tab is hidden", "Paused while this tab is hidden."],
])(
  "rests for %s, and says so; goes on after it, in spite of it, and where that is not chosen",
  async (what, choice, words) => {
    await page.getByRole("checkbox", { name: choice }).check();
    await machine(what, true);
    await line(words);
    await machine(what, false);
    await trains();

    await machine(what, true);
    await line(words);
    await page.getByRole("button", { name: "Train anyway" }).click();
    await trains();
    await machine(what, false);

    await page.getByRole("checkbox", { name: choice }).uncheck();
    await machine(what, true);
    await trains();
    await machine(what, false);
  },
);

it("trains only in the hours that were chosen", async () => {
  const hour = await page.evaluate(() => new Date().getHours());
  const clock = (hours: number) => `${String((hour + hours) % 24).padStart(2, "0")}:00`;
  await page.getByRole("checkbox", { name: "Train only from" }).check();
  // From in two hours until in four: not now, whenever this runs and however slowly.
  await page.getByLabel("Train from this time").fill(clock(2));
  await page.getByLabel("Train until this time").fill(clock(4));
  await line("Paused outside the hours you chose.");
  await page.getByLabel("Train from this time").fill(clock(22));
  await trains();
});
