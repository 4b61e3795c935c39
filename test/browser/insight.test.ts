import type { Browser, Locator, Page, Route } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  formatBytes,
  formatChoices,
  formatCount,
  formatLarge,
  formatProbability,
} from "../../client/ui/format.ts";
import { layoutOf } from "../../model/contract/layout.ts";
import { batchesOf } from "../../model/data/batches.ts";
import { decodeSafetensors } from "../../model/data/safetensors.ts";
import { loadTokenizer, type Tokenizer } from "../../model/data/tokenizer.ts";
import { CachedDecoder } from "../../model/decode/cached-decoder.ts";
import { nearestTokens, tokenEmbeddings } from "../../model/decode/embeddings.ts";
import type { Manifest } from "../../protocol/manifest.ts";
import { ROUTES } from "../../protocol/routes.ts";
import type { Ticket } from "../../protocol/ticket.ts";
import { HttpVolunteer } from "../harness/http-volunteer.ts";
import { type SmallRun, startSmallRun } from "../harness/small-run.ts";
import { oracleLogits } from "../oracle/oracle.ts";
import { launchChromium } from "./launch.ts";

/**
 * "What is my browser doing?", held against the run itself: the page trains for a while and is paused; whatever it
 * shows then is computed again here, from the ticket it was given, the stored weights and the text, in doubles.
 */
const SETTINGS = {
  model: { layers: 2, heads: 2, width: 32, context: 32 },
  batch: 4,
  steps: 10,
  learningRate: 0.006,
  snapshotEvery: 1,
  keepSnapshots: 1_000,
  evaluateWindows: 64, // of fewer the mean goes up and down so much that the tripwire takes the run back
};

let run: SmallRun;
let browser: Browser;
let page: Page;
let manifest: Manifest;
let tokenizer: Tokenizer;
/** What went to and from the Worker, by its path. */
const bodies: { path: string; up: number; down: number }[] = [];
const tickets: Ticket[] = [];

const words = (locator: Locator) => locator.innerText().then((text) => text.replaceAll(/\s+/g, " "));
const get = (path: string) => run.server.get(path);

async function listen(route: Route): Promise<void> {
  const request = route.request();
  const { pathname } = new URL(request.url());
  const response = await route.fetch();
  const body = await response.body();
  bodies.push({ path: pathname, up: request.postDataBuffer()?.length ?? 0, down: body.length });
  if (pathname === ROUTES.tickets && response.ok()) tickets.push(JSON.parse(body.toString()).ticket);
  await route.fulfill({ response, body });
}

/** The first sequence of a ticket's text, the weights it starts from, and what they make of it. */
async function readingOf(ticket: Ticket) {
  const [file, text] = await Promise.all([
    get(ROUTES.snapshot(ticket.hash)),
    get(ROUTES.shard(ticket.shard)),
  ]);
  const weights = decodeSafetensors(file, layoutOf(manifest.model));
  const [first] = batchesOf(new Uint16Array(text.buffer), ticket, manifest.model.context);
  const row = first?.subarray(0, manifest.model.context + 1) ?? new Uint16Array();
  const logits = oracleLogits(manifest.model, Float64Array.from(weights), row.subarray(0, -1));
  const { vocabulary } = manifest.model;
  const guesses = Array.from({ length: row.length - 1 }, (_, at) => {
    const powers = Array.from(logits.subarray(at * vocabulary, (at + 1) * vocabulary), Math.exp);
    const total = powers.reduce((sum, power) => sum + power);
    const order = powers.map((_, token) => token).sort((a, b) => powers[b]! - powers[a]!);
    return { order, chance: (token: number) => powers[token]! / total, truth: row[at + 1]! };
  });
  return { row, weights, guesses };
}

/** A token's text with its blanks made visible, as the page does. */
const visible = (token: number) => tokenizer.piece(token).replaceAll(" ", "␣").replaceAll("\n", "↵");

/** The readings of all tickets whose version a line of the page names: who trains ahead has two. */
const readingsOf = (line: string) => {
  const version = Number(/Version (\d+)/.exec(line.replaceAll(",", ""))?.[1]);
  return Promise.all(tickets.filter((ticket) => ticket.version === version).map(readingOf));
};

/** The one that begins with the tokens of a list on the page. */
async function readingIn(list: Locator, line: string) {
  const shown = await list.evaluate((box) => [...box.children].map(({ textContent }) => textContent ?? ""));
  const found = (await readingsOf(line)).find(({ row }) =>
    shown.every((piece, at) => piece === tokenizer.piece(row[at]!)),
  );
  expect(shown.length).toBeGreaterThan(20);
  expect(found, `a ticket of the version in “${line}” has the text ${shown.join("")}`).toBeDefined();
  return found!;
}

beforeAll(async () => {
  [run, browser] = await Promise.all([startSmallRun(SETTINGS), launchChromium()]);
  manifest = JSON.parse(new TextDecoder().decode(await get(ROUTES.manifest)));
  tokenizer = loadTokenizer(await get(ROUTES.tokenizer));
  page = await (await browser.newContext({ reducedMotion: "reduce" })).newPage();
  await page.route((url) => /^\/api\/(?!events|run$)/.test(url.pathname), listen);
  await page.goto(`${run.server.origin}/?device=wasm`);
  await page.getByRole("button", { name: "Start training" }).click();
  await page.getByText("A look inside").click();
  await run.server.until(({ version }) => version >= 20);
  await page.getByText("were sent instead of").waitFor();
  await page.getByRole("button", { name: "Pause", exact: true }).click();
  await page.locator("p.phase").getByText("Paused by you").waitFor();
  const next = page.getByRole("button", { name: "Next passage" });
  if (await next.isEnabled()) await next.click();
});
afterAll(async () => {
  await browser.close();
  await run.end();
});

it("the passage is the ticket's own text, and the guesses are those of the stored weights", async () => {
  const line = await words(page.locator(".passage .summary p"));
  const shown = page.getByRole("listbox", { name: /^The passage, token by token/ });
  const { guesses } = await readingIn(shown, line);
  const right = guesses.filter(({ order, truth }) => order[0] === truth).length;
  expect(line).toContain(`guessed ${right} of ${guesses.length} tokens here`);
  const nats = guesses.map(({ chance, truth }) => -Math.log(chance(truth)));
  const mean = nats.reduce((sum, one) => sum + one, 0) / nats.length;
  await page.getByText(`guessing each token among ${formatChoices(mean)}.`).waitFor();

  await shown.focus();
  await page.keyboard.press("Home");
  for (const { order, chance, truth } of guesses.slice(0, 12)) {
    const bars = page.locator(".guess .bar");
    const expected = [...order.slice(0, 3), truth].map(visible);
    await expect.poll(() => bars.locator(".piece").allTextContents()).toEqual(expected);
    // The engine computes in floats: a figure just between two may be rounded the other way.
    const known = chance(order[0]!);
    expect([known - 1e-4, known, known + 1e-4].map(formatProbability)).toContain(
      await bars.locator(".chance").first().textContent(),
    );
    await page.keyboard.press("ArrowRight");
  }
});

it("its loss is shown in nats and in words that agree", async () => {
  const told = await words(page.getByText("nats a token, on the text you train on"));
  const among = /guessing among ([\d.,]+) tokens/.exec(told)?.[1];
  const nats = Number(/[\d.]+/.exec(await words(page.locator(".numbers dd").first()))?.[0]);
  expect(nats).toBeGreaterThan(1);
  expect(nats).toBeLessThan(Math.log(256)); // it has learnt something
  expect([nats - 0.005, nats, nats + 0.005].map(formatChoices)).toContain(among);
});

it("bytes are those that went over the network", async () => {
  const deltas = bodies.filter(({ path }) => path === ROUTES.deltas);
  const station = await words(page.locator(".station").last());
  expect(station).toContain(formatBytes(deltas.at(-1)?.up ?? 0));
  const plain = manifest.parameters * 4;
  const told = await words(page.getByText("were sent instead of"));
  expect(told).toContain(`instead of ${formatBytes(plain)}`);

  const traffic = async () => (await words(page.getByText(/ down, .* up$/))).split(", ");
  const sum = (of: "up" | "down") => bodies.reduce((total, body) => total + body[of], 0);
  await expect.poll(async () => (await traffic())[1] === `${formatBytes(sum("up"))} up`).toBe(true);
  const [down = ""] = await traffic();
  const [figure = "", unit] = down.split(" ");
  const bytes = Number(figure) * (unit === "MB" ? 1e6 : 1e3);
  // The stream of versions comes on top, and the counter is told twice a second.
  expect(bytes).toBeGreaterThan(0.9 * sum("down"));
  expect(bytes).toBeLessThan(1.15 * sum("down"));
});

it("a look inside shows what a head attends to and where tokens lie, in the weights of that version", async () => {
  const line = await words(page.getByText(/^Version .* reads: /));
  const list = page.getByRole("listbox", { name: /looks back/ });
  const { row, weights } = await readingIn(list, line);
  const decoder = new CachedDecoder(manifest.model, weights);
  const places = Array.from(row.subarray(0, -1), (token) => {
    decoder.read(token);
    return [0, 1].map((layer) => [0, 1].map((head) => Array.from(decoder.attention(layer, head))));
  });
  await list.focus();
  await page.keyboard.press("End");
  for (const layer of [0, 1]) {
    await page.getByRole("combobox", { name: "Layer" }).selectOption({ value: String(layer) });
    for (const head of [0, 1]) {
      await page.getByRole("combobox", { name: "Head" }).selectOption({ value: String(head) });
      const shares = places.at(-1)?.[layer]?.[head] ?? [];
      const most = Math.max(...shares);
      // Shares travel in 255ths: of two that are as large either may be named.
      const named = row.subarray(0, -1).filter((_, at) => shares[at]! > most - 1 / 255);
      const lines = Array.from(
        named,
        (token) => `“${visible(row.at(-2)!)}” looks most at “${visible(token)}”`,
      );
      const told = async () => {
        const line = await words(page.getByText(/ looks most at /));
        const off = Math.abs(Number(/\((\d+)%\)/.exec(line)?.[1]) / 100 - most);
        return off < 0.011 && lines.some((one) => line.includes(one));
      };
      await expect.poll(told, { message: `layer ${layer}, head ${head}: ${lines}` }).toBe(true);
    }
  }
  const token = row.at(-2)!;
  const nearest = nearestTokens(tokenEmbeddings(manifest.model, weights), manifest.model.width, token, 5);
  expect(await page.locator(".nearest .neighbour").allTextContents()).toEqual(nearest.map(visible));
  for (const picture of ["canvas.map", "canvas.table"]) {
    const colours = await page.locator(picture).evaluate((canvas: HTMLCanvasElement) => {
      const context = canvas.getContext("2d");
      const data = context?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
      return new Set(new Uint32Array(Uint8Array.from(data).buffer)).size;
    });
    expect(colours, picture).toBeGreaterThan(3);
  }
});

it("an early sample stands beside the newest, as the server has them", async () => {
  const status = await run.server.until(({ samples, sample }) => samples.length > 1 && sample !== null);
  const [early] = status.samples;
  if (early === undefined) throw new Error("there is no early sample");
  const shown = (version: number) => page.locator("figure.sample").filter({ hasText: `version ${version},` });
  await page.reload();
  await shown(early.version).waitFor();
  expect((await shown(early.version).locator("blockquote").textContent())?.trim()).toBe(early.text.trim());
  const now = page.locator("figure.sample").last();
  // The last version may have been measured, and its sample written, since the page was loaded.
  const differs = async () => {
    const { sample } = await run.server.status();
    const caption = (await words(now.locator("figcaption"))).replaceAll(",", "");
    const text = (await now.locator("blockquote").textContent())?.trim();
    return caption.includes(`version ${sample?.version}`) && text === sample?.text.trim()
      ? ""
      : { caption, text, sample };
  };
  await expect.poll(differs).toBe("");
});

it("credit is what the server has of this volunteer, and work that came too late is shown with its reason", async () => {
  await page.unrouteAll({ behavior: "wait" });
  await page.getByRole("button", { name: "Resume", exact: true }).click();
  const { version: before } = await run.server.status();
  await run.server.until((status) => status.version > before + 1);
  const late = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  await page.route(
    `**${ROUTES.deltas}`,
    async (route) => {
      held.resolve();
      await late.promise;
      await route.continue();
    },
    { times: 1 },
  );
  await held.promise;
  // Others make more versions meanwhile than a delta may be behind.
  const { version } = await run.server.status();
  for (let i = 0; (await run.server.status()).version < version + 6; i++) {
    const other = await HttpVolunteer.at(run.server.origin);
    await other.contribute(manifest.parameters, i);
  }
  late.resolve();
  await page
    .getByText("× it came too late: the model had moved on. It is kept for your next delta")
    .waitFor();
  await page.getByRole("button", { name: "Pause", exact: true }).click();
  await page.locator("p.phase").getByText("Paused by you").waitFor();
  const mine = tickets[0]?.volunteer;
  if (mine === undefined) throw new Error("no ticket was seen");
  const told = async () => {
    const credit = JSON.parse(new TextDecoder().decode(await get(ROUTES.credit(mine))));
    const { merged, pending, refused, tokens } = credit;
    const shown = await words(page.locator(".numbers"));
    return [
      `${formatCount(merged)} deltas merged, ${pending} pending, ${refused} refused`,
      `${formatLarge(tokens)} `,
      `${refused} × it came too late`,
    ].filter((figure) => !shown.includes(figure));
  };
  await expect.poll(told).toEqual([]);
});
