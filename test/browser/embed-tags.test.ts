import { expect, it } from "vitest";
import type { SwarmElement } from "../../client/embed/messages.ts";
import { OPEN, visitBlog } from "./blog.ts";

/** Where and how a site may name the loader, and what becomes of the element on a page that changes. */
const blog = visitBlog();
const { open, agree, frame, call, status, listen, heard, trains } = blog;

const button = () => blog.page.getByRole("button", { name: OPEN });
const parentOf = () =>
  blog.page.locator("murmuration-swarm").evaluate((element) => element.parentElement?.localName);
/** Goes to a page, and returns what its console is told of us: from a frame it may come after the page has loaded. */
async function visit(body: string, head = ""): Promise<readonly string[]> {
  const told: string[] = [];
  blog.page.on("console", (message) => message.text().includes("murmuration") && told.push(message.text()));
  blog.body = body;
  blog.head = head;
  // The sites below bring scripts of their own.
  blog.policy = "";
  await blog.page.goto(blog.origin());
  await blog.page.waitForLoadState("load");
  return told;
}
const isTold = (told: readonly string[], words: string) => expect.poll(() => told.join()).toContain(words);
const tag = (attributes = "") => blog.tag(attributes).replace("defer ", "");

it("a tag in the body, the control: the button stands where the tag does, and nothing is said of it", async () => {
  const told = await visit(`<p>Before.</p><section>${blog.tag()}</section>`);
  await button().waitFor();
  expect(await parentOf()).toBe("section");
  expect(told).toEqual([]);
});

it.each([
  ["in the head, deferred", (origin: string) => `<script defer src="${origin}/embed.js"></script>`],
  ["in the head, before there is a body", (origin: string) => `<script src="${origin}/embed.js"></script>`],
  ["in the head, async", (origin: string) => `<script async src="${origin}/embed.js"></script>`],
  [
    "in the head, as a module",
    (origin: string) => `<script type="module" src="${origin}/embed.js"></script>`,
  ],
  [
    "put into the head by a tag manager",
    (origin: string) =>
      `<script>setTimeout(() => { const tag = document.createElement("script"); tag.src = "${origin}/embed.js"; document.head.append(tag); tag.remove(); }, 50)</script>`,
  ],
])(
  "a tag %s shows its button at the end of the page, and the console says how to choose the place",
  async (_, head) => {
    const said = blog.page.waitForEvent("console", {
      predicate: (message) => message.text().includes("at the end of the page"),
    });
    await visit("", head(blog.server.origin));
    await button().waitFor();
    expect(await parentOf()).toBe("body");
    expect((await said).text()).toContain("<murmuration-swarm>");
  },
);

it("a module tag in the body stands for itself, with what it says", async () => {
  const module = (label: string) =>
    `<section><script type="module" src="${blog.server.origin}/embed.js" data-label="${label}"></script></section>`;
  await visit(module("Help the birds"));
  await blog.page.getByRole("button", { name: "Help the birds" }).waitFor();
  expect(await parentOf()).toBe("section");
});

it("a second tag of a page shows no second button, and the console says why", async () => {
  const told = await visit(tag('data-label="First"') + tag('data-label="Second"'));
  await blog.page.getByRole("button", { name: "First" }).waitFor();
  expect(await blog.page.locator("murmuration-swarm").count()).toBe(1);
  await isTold(told, "no button for this tag");
});

it.each([
  ["allow-scripts", false],
  ["allow-scripts allow-same-origin", true],
])(
  "a page in a frame with sandbox=%j: training can be offered: %s, else both the box and the console say why",
  async (sandbox, offered) => {
    const inside = `${blog.tag().replace("defer ", "").replaceAll('"', "'")}`;
    const told = await visit(`<iframe sandbox="${sandbox}" srcdoc="${inside}"></iframe>`);
    const box = blog.page.frameLocator("iframe");
    await box.getByRole("button", { name: OPEN }).click();
    if (offered) {
      await box.frameLocator("iframe").getByRole("button", { name: "Yes, help train" }).waitFor();
      expect(told.join()).not.toContain("allow-same-origin");
    } else {
      await box.getByText("Training cannot run in a sandboxed frame.").waitFor();
      await isTold(told, "needs allow-same-origin");
    }
  },
);

it("a loader that finds no tag of its own says so", async () => {
  const loader = new TextDecoder().decode(await blog.server.get("/embed.js"));
  const told = await visit(`<script>${loader}</script>`);
  await isTold(told, "found no <script> tag");
  expect(await blog.page.locator("murmuration-swarm").count()).toBe(0);
});

it("trains on a page that is isolated by an embedder policy", async () => {
  blog.headers = {
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-opener-policy": "same-origin",
  };
  await blog.page.goto(blog.origin());
  expect(await blog.page.evaluate(() => crossOriginIsolated)).toBe(true);
  await open();
  await agree();
  await trains();
});

it("the control: a frame without the policy is kept from such a page", async () => {
  blog.headers = {
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-opener-policy": "same-origin",
  };
  await blog.page.route("**/frame", async (route) => {
    const answer = await route.fetch();
    const { "cross-origin-embedder-policy": _, ...headers } = answer.headers();
    await route.fulfill({ response: answer, headers });
  });
  await blog.page.goto(blog.origin());
  await listen();
  await open();
  await blog.page.getByText("It could not be loaded on this page.").waitFor();
  expect((await heard()).join()).toContain("blocked");
});

it("an element that is taken away says that it rests, and trains again where it is put next", async () => {
  const { page } = blog;
  await page.goto(blog.origin("127.0.0.1"));
  await listen();
  await open();
  await agree();
  await trains();
  expect((await status()).state).not.toBe("idle");
  const away = await page.evaluate(() => {
    const element = document.querySelector("murmuration-swarm") as SwarmElement;
    Object.assign(window, { element });
    element.remove();
    return element.status();
  });
  expect(away).toMatchObject({ state: "idle", line: "" });
  expect(away.sent).toBeGreaterThan(0);
  expect((await heard()).at(-1)).toBe('state {"state":"idle","line":""}');
  await page.evaluate(() => {
    const { element } = window as unknown as { element: SwarmElement };
    document.body.append(element);
  });
  await trains();
  expect((await status()).state).not.toBe("idle");
  await call("stop");
  await button().waitFor();
  expect((await status()).state).toBe("stopped");
  await page.evaluate(() => document.body.append(document.querySelector("murmuration-swarm") ?? ""));
  await button().waitFor();
  expect(await frame().locator("body").count()).toBe(0);
});

it("a start that comes before the element's place is there is kept until it is", async () => {
  const { page } = blog;
  await page.goto(blog.origin());
  await page.evaluate(() => {
    const element = document.createElement("murmuration-swarm") as SwarmElement;
    element.start();
    document.body.append(element);
  });
  await frame().getByRole("button", { name: "Yes, help train" }).waitFor();
});
