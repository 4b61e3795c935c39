import { describe, expect, it } from "vitest";
import { isVolunteerKey } from "../../protocol/ids.ts";
import { KEY_HEADER } from "../../protocol/request.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { HttpVolunteer } from "../harness/http-volunteer.ts";
import { OPEN, visitBlog } from "./blog.ts";
import { WORKER } from "./pages-fixture.ts";

/** What the tag does on pages of another origin, with a real server and run behind it. */
const blog = visitBlog();
const { open, agree, frame, call, status, listen, heard, uploads, trains } = blog;

/** Everything that only a volunteer asks for. */
const WORK = new RegExp(`${WORKER.source}|\\.wasm$|^wss?:|^/api/(?!run$)`);
/** What the frame's browser keeps for this site. */
const kept = () =>
  blog.page
    .frames()[1]
    ?.evaluate(async () => Object.keys(localStorage).length + (await indexedDB.databases()).length);

/** Opens the box where nothing is remembered, and finds nothing kept. */
async function isAsked(): Promise<void> {
  await open();
  await frame().getByRole("button", { name: "Yes, help train" }).waitFor();
  expect(await kept()).toBe(0);
}

describe("the box", () => {
  it("trains under a strict policy, once the visitor said yes within the frame", async () => {
    const { page, asked, failures } = blog;
    blog.body = blog.tag('data-share="0.4"').replace('data-share="1" ', "");
    await page.goto(blog.origin());
    await page.getByText("It asks first").waitFor();
    expect(asked.filter((path) => path !== "/favicon.ico")).toEqual(["/", "/embed.js"]);
    await open();
    await frame().getByText("Help train “A small run”").waitFor();
    await frame().getByText("on about 40% of this device’s time").waitFor();
    // Before the yes: no Worker, no socket, no byte of the model.
    expect(asked.filter((path) => WORK.test(path))).toEqual([]);
    expect(page.workers()).toHaveLength(0);
    await agree();
    await trains();
    await expect.poll(async () => (await status()).merged).toBeGreaterThan(0);
    expect(failures).toEqual([]);
    await page.reload(); // without storage nothing is remembered, so it asks again
    await open();
    await frame().getByRole("button", { name: "Yes, help train" }).waitFor();
  });

  it("has the model write for a visitor who asks it, and neither asks for consent nor trains by that", async () => {
    const { page, asked, failures } = blog;
    blog.body = blog.tag("data-ask");
    await page.goto(blog.origin("127.0.0.1"));
    await listen();
    await page.getByRole("button", { name: "Try the model" }).click();
    await frame().getByText("Nothing you type leaves your device").waitFor();
    expect(asked.filter((path) => WORK.test(path))).toEqual([]);
    expect(page.workers()).toHaveLength(0);
    await page.keyboard.type("The whale"); // the field has the focus
    await page.keyboard.press("Enter");
    const output = frame().getByRole("region", { name: "What it wrote" });
    const written = async () => (await output.textContent()) ?? "";
    await expect.poll(written, { timeout: 30_000 }).toMatch(/^The whale./s);
    await frame().getByRole("button", { name: "Write" }).waitFor();
    expect(
      asked.filter((path) => WORK.test(path)),
      "now that it was asked",
    ).not.toEqual([]);
    // The visitor's words are in no address; and nothing was sent that only a volunteer sends.
    expect(asked.filter((path) => /whale|\/api\/(work|deltas|tickets)/i.test(path))).toEqual([]);
    expect(uploads()).toBe(0);
    expect((await heard()).filter((event) => event.startsWith("consent"))).toEqual([]);
    await frame().getByRole("button", { name: "Back" }).click();
    await frame().getByRole("button", { name: "Yes, help train" }).waitFor();
    const offered = frame().getByRole("button", { name: "Try the model" });
    await expect.poll(() => offered.evaluate((button) => button === document.activeElement)).toBe(true);
    expect(failures).toEqual([]);
  });

  it("begins on no word of the site's, nor by messages of its own making, and takes no for an answer", async () => {
    const { page, server, asked } = blog;
    await page.goto(blog.origin("127.0.0.1"));
    await listen();
    await call("start");
    await frame().getByRole("button", { name: "Yes, help train" }).waitFor();
    await call("start");
    await page.evaluate((origin) => {
      const inner = document.querySelector("murmuration-swarm")?.shadowRoot?.querySelector("iframe");
      for (const type of ["begin", "start", "resume", "consent", "agree"]) {
        inner?.contentWindow?.postMessage({ murmuration: 1, type, share: 1, given: true }, origin);
      }
    }, server.origin);
    // The frame has heard all of it once it answers a last word.
    await call("stop");
    await expect.poll(async () => (await heard()).join()).toContain('"state":"stopped"');
    await isAsked();
    await frame().getByRole("button", { name: "No thanks" }).click();
    await page.getByRole("button", { name: OPEN }).waitFor();
    expect(await heard()).toContain('consent {"given":false}');
    expect(await heard()).not.toContain('consent {"given":true}');
    expect(asked.filter((path) => WORK.test(path))).toEqual([]);
  });

  it("tells the site what goes on, keeps to its allowance, and ends when the visitor takes the yes back", async () => {
    const { page } = blog;
    blog.body = blog.tag('data-budget="0.5MB"');
    await page.goto(blog.origin("127.0.0.1"));
    await listen();
    await open();
    await frame().getByText("stops at 500 kB of traffic a day").waitFor();
    await agree();
    await frame().getByText("data allowance for today is used up").first().waitFor({ timeout: 60_000 });
    expect(await frame().getByRole("button", { name: "Train anyway" }).count()).toBe(0);
    const names = async () => new Set((await heard()).map((event) => event.split(" ")[0]));
    // The box asks for its credit once in five seconds at most.
    await expect
      .poll(async () => [...(await names())].sort())
      .toEqual(["consent", "credit", "state", "step"]);
    expect(await heard()).toContain('consent {"given":true}');
    expect(await kept()).toBeGreaterThan(0);
    await frame().getByRole("button", { name: "Forget me" }).click();
    await page.getByRole("button", { name: OPEN }).waitFor();
    expect(await heard()).toContain('consent {"given":false}');
    await expect.poll(() => page.frames().length).toBe(1);
    expect(page.workers()).toHaveLength(0);
    await isAsked();
  });

  it("obeys the site's pause, start and stop, and tells of this visitor what the server tells", async () => {
    const { page, server } = blog;
    const keys = new Set<string>();
    page.on("request", (request) => keys.add(request.headers()[KEY_HEADER] ?? ""));
    await page.goto(blog.origin("127.0.0.1"));
    await open();
    await agree();
    await trains();
    await call("pause");
    await frame().getByText("Paused by the site you are on.").first().waitFor();
    await expect.poll(async () => (await status()).state).toBe("paused");
    // What was on its way has come and is merged, and the box and the server say the same of it.
    const [key = "", ...others] = [...keys].filter(isVolunteerKey);
    expect(others).toEqual([]);
    if (!isVolunteerKey(key)) throw new Error("no request was signed");
    const credit = async () => (await fetch(server.origin + ROUTES.credit(key))).json();
    await expect.poll(async () => (await credit()).merged).toBe(uploads());
    const { tokens } = await credit();
    // The box asks for it once in five seconds at most.
    await expect.poll(status).toMatchObject({ state: "paused", sent: tokens, merged: tokens });
    // While others make versions, it makes none.
    const before = uploads();
    const { version } = await server.status();
    const { parameters } = await (await fetch(server.origin + ROUTES.manifest)).json();
    const other = await HttpVolunteer.at(server.origin);
    for (let i = 1; i <= 4; i++) {
      await other.contribute(parameters, i);
      await server.until((now) => now.version >= version + i);
    }
    expect((await server.status()).version).toBe(version + 4);
    expect(uploads()).toBe(before);
    await call("start");
    await trains();
    // A visitor's own pause is theirs to end.
    await frame().getByRole("button", { name: "Pause", exact: true }).click();
    await frame().getByText("Paused by you.").first().waitFor();
    for (const method of ["start", "pause", "start"] as const) await call(method);
    await frame().getByText("Paused by you.").first().waitFor();

    await call("stop");
    await page.getByRole("button", { name: OPEN }).waitFor();
    await expect.poll(() => page.workers().length + page.frames().length).toBe(1);
    expect((await status()).state).toBe("stopped");
  });

  it("remembers a yes until it is taken back, also where no frame is open", async () => {
    const { page } = blog;
    await page.goto(blog.origin("127.0.0.1"));
    await open();
    await agree();
    await trains();
    await page.reload();
    await open(); // agreed before, it goes on without a question
    await trains();
    expect(await kept()).toBeGreaterThan(0);
    await call("revoke");
    await expect.poll(() => page.workers().length).toBe(0);
    await isAsked();
    await agree();
    await trains();
    await page.reload();
    await call("revoke");
    await isAsked();
  });
});

describe("where it may not be", () => {
  const refused = () => blog.page.getByText("It could not be loaded on this page.").waitFor();

  it("is refused on a site that the server does not name, and says so", async () => {
    const stranger = await blog.strange();
    try {
      await blog.page.goto(stranger.origin);
      await listen();
      await open();
      await refused();
      expect(await heard()).toEqual(['blocked {"reason":"timeout"}']);
    } finally {
      await stranger.close();
    }
  });

  it("says once that the site's own policy forbids its frame, and makes no noise about it", async () => {
    blog.policy = `default-src 'none'; script-src ${blog.server.origin}; frame-src 'none'`;
    await blog.page.goto(blog.origin());
    await listen();
    for (let i = 0; i < 2; i++) {
      await open();
      await refused();
    }
    expect(await heard()).toEqual(['blocked {"reason":"policy"}']);
    // The browser's own word on it, and nothing of ours.
    const ours = blog.failures.filter((line) => !/violates the following Content Security Policy/.test(line));
    expect(ours).toEqual([]);
    expect(blog.asked.filter((path) => path !== "/favicon.ico")).toEqual(["/", "/embed.js"]);
  });
});
