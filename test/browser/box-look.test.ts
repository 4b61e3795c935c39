import { describe, expect, it } from "vitest";
import { styleOf, USUAL } from "../../client/console/embedding/snippet.ts";
import { OPEN, visitBlog } from "./blog.ts";
import { looksRight } from "./looks.ts";
import { tabTo } from "./tab-to.ts";

/** How the tag looks and is worked on pages of another origin, with a real server and run behind it; it moves nothing. */
const blog = visitBlog();
const { open, agree, frame, trains } = blog;

describe("the box", () => {
  it("wears the colours that the tag names, whatever the visitor's system has", async () => {
    const { page } = blog;
    const ground = async (theme: string) => {
      blog.body = blog.tag(`data-theme="${theme}"`);
      await page.goto(blog.origin());
      await open();
      await frame().getByText("Help train “A small run”").waitFor();
      const of = (element: Element) => getComputedStyle(element).backgroundColor;
      return [
        await page.locator("murmuration-swarm").evaluate(of),
        await frame().locator("body").evaluate(of),
      ];
    };
    await page.emulateMedia({ colorScheme: "light" });
    const light = await ground("auto");
    const dark = await ground("dark");
    expect(dark.filter((colour) => light.includes(colour))).toEqual([]);
    await page.emulateMedia({ colorScheme: "dark" });
    expect(await ground("auto")).toEqual(dark);
    expect(await ground("light")).toEqual(light);
  });

  it("can be worked by the keyboard alone, and axe finds no fault in it", async () => {
    const { page } = blog;
    await page.goto(blog.origin());
    await page.getByRole("button", { name: OPEN }).waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    const button = (name: string) => frame().getByRole("button", { name, exact: true });
    await button("Yes, help train").waitFor();
    await looksRight(page);
    await tabTo(button("Yes, help train"));
    await page.keyboard.press("Enter");
    await trains();
    await looksRight(page);
    await tabTo(button("Pause"));
    await page.keyboard.press("Space");
    await frame().getByText("Paused by you.").first().waitFor();
    await tabTo(button("Stop"));
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: OPEN }).waitFor();
    await expect.poll(() => page.workers().length).toBe(0);
  });
});

it("the model can be asked by the keyboard alone, and axe finds no fault in it", async () => {
  const { page } = blog;
  blog.body = blog.tag("data-ask");
  await page.goto(blog.origin());
  await page.getByRole("button", { name: "Try the model" }).waitFor();
  await looksRight(page);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await frame().getByText("Nothing you type leaves").waitFor();
  await looksRight(page);
  await page.keyboard.type("Sea");
  await page.keyboard.press("Enter");
  await frame().locator("blockquote").getByText("Sea").waitFor({ timeout: 30_000 });
  await looksRight(page);
  await tabTo(frame().getByRole("button", { name: "Back" }));
  await page.keyboard.press("Enter");
  await frame().getByRole("button", { name: "Try the model" }).waitFor();
  await looksRight(page);
});

/** How far everything has been moved so far, as the browser counts it (web.dev/cls), moved by input or not. */
const moved = () =>
  blog.page.evaluate(
    () =>
      new Promise<number>((tell) => {
        const shifts = new PerformanceObserver((list) => {
          tell(list.getEntries().reduce((sum, entry) => sum + Number("value" in entry && entry.value), 0));
        });
        shifts.observe({ type: "layout-shift", buffered: true });
        // Where nothing has moved nobody tells: the frame after next, all that was drawn is counted.
        requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => tell(0))));
      }),
  );

describe.each([360, 1_280])("on a page of %i px", (width) => {
  /** Opens the blog with a loader that comes after all else was painted. */
  async function openSlowly(style: string): Promise<void> {
    const { page } = blog;
    blog.policy = "";
    blog.body = `<style>${style}</style><div id="another"></div>${blog.tag()}`;
    await page.setViewportSize({ width, height: 800 });
    const { promise, resolve } = Promise.withResolvers<void>();
    await page.route("**/embed.js", async (route) => {
      await promise;
      await route.continue();
    });
    await page.goto(blog.origin(), { waitUntil: "commit" });
    await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint").length > 0);
    resolve();
    await page.getByRole("button", { name: OPEN }).waitFor();
  }

  it("moves nothing, from a late loader to a stop, where the site keeps its room", async () => {
    await openSlowly(styleOf(blog.server.origin, USUAL));
    await open();
    await agree();
    await trains();
    await frame().getByRole("button", { name: "Stop", exact: true }).click();
    await blog.page.getByRole("button", { name: OPEN }).waitFor();
    expect(await moved()).toBe(0);
    // The control: a frame that is put into the same page as it comes.
    await blog.page.evaluate((server) => {
      const naive = document.createElement("iframe");
      naive.src = `${server}/frame`;
      document.querySelector("#another")?.append(naive);
    }, blog.server.origin);
    await expect.poll(moved).toBeGreaterThan(0);
  });

  it("moves what stands below where no room is kept: the control", async () => {
    await openSlowly("");
    expect(await moved()).toBeGreaterThan(0);
  });
});
