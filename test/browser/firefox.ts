import puppeteer, { type ElementHandle, type Frame } from "puppeteer-core";
import { answered, CONTROL, type Driver, findElement, sourceOf } from "./driver.ts";
import { programOf } from "./programs.ts";

/** Starts Debian's Firefox without a window; WebDriver BiDi needs no driver program. */
export async function startFirefox(): Promise<Driver> {
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath: programOf("firefox-esr") ?? "firefox",
    headless: true,
  });
  const page = await browser.newPage();
  await page.setViewport({ width: 1280, height: 900 });
  let frame: Frame = page.mainFrame();
  /** What {@link findElement} finds. */
  const found = async (selector: string, words = "") =>
    (await frame.evaluateHandle(findElement, selector, words)).asElement() as ElementHandle<Element> | null;
  return {
    version: await browser.version(),
    open: async (url) => void (await page.goto(url)),
    reload: async () => void (await page.reload()),
    text: () => frame.evaluate(() => document.body.innerText),
    evaluate: (script) => frame.evaluate(script) as Promise<ReturnType<typeof script>>,
    click: (name) =>
      answered(async () => {
        const control = await found(CONTROL, sourceOf(name));
        if (control === null) return undefined;
        await control.click();
        return true;
      }, `there is no control named ${name}`).then(() => undefined),
    async inFrame(work) {
      const inner = await answered(
        async () => (await (await found("iframe"))?.contentFrame()) ?? undefined,
        "the page has no frame",
      );
      frame = inner;
      try {
        return await work();
      } finally {
        frame = page.mainFrame();
      }
    },
    close: () => browser.close(),
  };
}
