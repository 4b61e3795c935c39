import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { formatBytes, formatCount, formatDuration, formatLarge, formatLoss } from "../../client/ui/format.ts";
import { OPERATOR_ROUTES, type Overview, parseOverview } from "../../protocol/operator.ts";
import { HttpVolunteer } from "../harness/http-volunteer.ts";
import { runCommand } from "../harness/server-process.ts";
import { type SmallRun, startSmallRun } from "../harness/small-run.ts";
import { launchChromium } from "./launch.ts";

/** The dashboard of a real run with volunteers of two kinds: what it reads is what the server has, figure by figure. */
const SETTINGS = {
  model: { layers: 1, heads: 2, width: 32, context: 32 },
  batch: 4,
  steps: 10,
  evaluateWindows: 32,
  trust: { auditShare: 0.5 },
};

let run: SmallRun;
let browser: Browser;
let page: Page;
let directory: string;

const press = (name: string) => page.getByRole("button", { name, exact: true }).click();
/** What a figure says, with its help. */
const figure = (name: string) =>
  page
    .locator("dl.figures > div")
    .filter({ has: page.getByText(name, { exact: true }) })
    .innerText()
    .then((text) => text.replaceAll(/\s+/g, " "));
const overview = async (): Promise<Overview> =>
  parseOverview(await (await page.request.get(run.server.origin + OPERATOR_ROUTES.overview)).json());

/** Has so many bad frames refused. */
async function refuse(times: number): Promise<void> {
  const clumsy = await HttpVolunteer.at(run.server.origin);
  for (let i = 0; i < times; i++) {
    const ticket = await clumsy.ticket();
    await expect(clumsy.upload(ticket, new Uint8Array(40))).rejects.toMatchObject({ code: "bad-frame" });
  }
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "murmuration-readings-"));
  [run, browser] = await Promise.all([startSmallRun(SETTINGS, "--volunteers", "1"), launchChromium()]);
  page = await (await browser.newContext()).newPage();
  await page.goto(run.server.link);
  await page.getByRole("heading", { name: "Run it" }).waitFor();
  const visitor = await (await browser.newContext()).newPage();
  await visitor.goto(`${run.server.origin}/?device=wasm`);
  await visitor.getByRole("button", { name: "Start training" }).click();
  await visitor.getByText(/[1-9]\d* deltas? merged/).waitFor({ timeout: 30_000 });
});
afterAll(async () => {
  await browser.close();
  await run.end();
  await rm(directory, { recursive: true });
});

it("tells in a line what each version was made of, as its record has it", async () => {
  await refuse(3);
  const { version: from } = await run.server.status();
  await run.server.until(({ version }) => version > from + 1);
  await press("Pause"); // the page keeps its newest lines only
  await page.getByText("Paused.", { exact: true }).waitFor();
  const lines = page.getByText(/Version [\d,]+: \d+ of \d+ deltas merged/);
  const isWhole = async () =>
    (await lines.first().textContent())?.startsWith(
      `Version ${formatCount((await run.server.status()).version)}: `,
    );
  await expect.poll(isWhole, { timeout: 10_000 }).toBe(true);
  const told = await lines.allTextContents();
  expect(told.length).toBeGreaterThan(2);
  const { versions } = await overview();
  let refused = 0;
  for (const line of told) {
    const [, number = "", merged, came] = /Version ([\d,]+): (\d+) of (\d+)/.exec(line) ?? [];
    const version = Number(number.replaceAll(",", ""));
    const { record } = await (await fetch(`${run.server.origin}/api/versions/${version}`)).json();
    expect(Number(merged), line).toBe(record.merged.length);
    const point = versions.find((one) => one.version === version);
    expect(Number(came), line).toBe(point?.came);
    refused += Number(came) - Number(merged);
    // Its own volunteers' loss, not what was measured of a version before it.
    const loss = point?.loss.toFixed(3);
    expect(line).toContain(` deltas merged, loss ${loss}, ${formatDuration(point?.ms ?? Number.NaN)}.`);
  }
  expect(refused).toBeGreaterThanOrEqual(3);
  await press("Start");
  await page.getByText("Started.", { exact: true }).waitFor();
});

it("names who is here by device, browser and backend", async () => {
  const tally = (title: string) =>
    page
      .locator(".tallies .bars")
      .filter({ has: page.getByRole("heading", { name: title }) })
      .locator("dt")
      .allTextContents();
  await expect.poll(() => tally("Browser"), { timeout: 10_000 }).toContain("Chrome");
  const { here } = await overview();
  expect((await tally("Browser")).toSorted()).toEqual(Object.keys(here.browser).toSorted());
  expect((await tally("Device")).toSorted()).toEqual(["computer", "program"]);
  expect((await tally("Trains on")).toSorted()).toEqual(Object.keys(here.backend).toSorted());
});

it("reads what the server has, once the run is paused and nothing moves", async () => {
  await refuse(2);
  await expect.poll(async () => (await overview()).audits.good, { timeout: 20_000 }).toBeGreaterThan(1);
  await press("Pause"); // a drain would wait for the tickets of who is clumsy
  await page.getByText("Paused.", { exact: true }).waitFor();

  const told = async () => {
    const [status, now] = [await run.server.status(), await overview()];
    const newest = now.versions.at(-1);
    const refused = Object.values(status.deltas.refused).reduce((sum, times) => sum + times, 0);
    const expected: Record<string, string> = {
      "Held-out loss": formatLoss(status.heldOut.at(-1)?.loss ?? Number.NaN),
      Version: `${formatCount(status.version)} the newest took ${formatDuration(newest?.ms ?? Number.NaN)}`,
      Volunteers: formatCount(status.volunteers),
      "Tokens merged": formatLarge(status.tokensMerged),
      "Deltas refused": `${formatCount(refused)} ${formatCount(status.deltas.merged)} merged`,
      Audits: `${formatCount(now.audits.good)} passed; ${formatCount(now.audits.bad)} failed`,
    };
    const read = await Promise.all(Object.keys(expected).map(figure));
    return Object.values(expected).filter((value, i) => !read[i]?.includes(value));
  };
  await expect.poll(told, { timeout: 20_000 }).toEqual([]);
  // It goes down from now on, and the page hears of it now and then.
  const [, speed, unit] = /([\d.]+)( k)?/.exec(await figure("Tokens a second")) ?? [];
  const perSecond = Number(speed) * (unit === undefined ? 1 : 1_000);
  const { tokensPerSecond } = await run.server.status();
  expect(perSecond / tokensPerSecond).toBeGreaterThan(0.5);
  expect(perSecond / tokensPerSecond).toBeLessThan(2);

  const row = page.getByRole("row").filter({ has: page.getByRole("rowheader", { name: "bad-frame" }) });
  expect(await row.getByRole("cell").first().textContent()).toBe("5");
  const late = page.locator(".bars").filter({ hasText: "Merged deltas of the newest versions" });
  const { staleness, versions } = await overview();
  expect((await late.locator("dd").allTextContents()).map((text) => text.trim())).toEqual(
    staleness.map(formatCount),
  );
  // Of the newest fifty, which a fast machine has made by now.
  const newest = versions.slice(-50).reduce((sum, { deltas }) => sum + deltas, 0);
  expect(staleness.reduce((sum, count) => sum + count, 0)).toBe(newest);
});

it("reads the machine: bytes up and down, the event loop's delay, memory and disk", async () => {
  const near = (text: string, value: number, part: number) => {
    const [figure = "", unit = ""] = /([\d.]+) (B|kB|MB|GB|TB)/.exec(text)?.slice(1) ?? [];
    const bytes = Number(figure) * 1_000 ** ["B", "kB", "MB", "GB", "TB"].indexOf(unit);
    expect(Math.abs(bytes / value - 1), `${text} beside ${formatBytes(value)}`).toBeLessThan(part);
  };
  const metrics = await (await fetch(`${run.server.origin}/metrics`)).text();
  const metric = (name: string) => Number(new RegExp(`^murmuration_${name} (\\S+)`, "m").exec(metrics)?.[1]);
  near(await figure("Sent"), metric("bytes_sent_total"), 0.2);
  near(await figure("Received"), metric("bytes_received_total"), 0.2);
  near(await figure("Memory"), metric("resident_memory_bytes"), 0.3);
  near(await figure("Disk free"), metric("disk_free_bytes"), 0.1);
  // The server goes on counting: the page may be a look behind.
  const apart = async () => {
    const { delayMs } = (await overview()).machine;
    const read = [...(await figure("Event-loop delay")).matchAll(/([\d.]+) ms/g)].map((match) =>
      Number(match[1]),
    );
    return [delayMs.p99, delayMs.p50].filter(
      (ms, i) => !(Math.abs((read[i] ?? Number.NaN) - ms) <= 0.1 + ms / 4),
    );
  };
  await expect.poll(apart, { timeout: 10_000 }).toEqual([]);
  const { delayMs } = (await overview()).machine;
  expect(delayMs.p99).toBeGreaterThan(delayMs.p50);
  expect(delayMs.p50).toBeGreaterThan(0);
});

it("draws the losses and the pace, over tokens and over time", async () => {
  const picture = (of: string) =>
    page
      .getByRole("img", { name: of })
      .locator("canvas")
      .evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());
  const { heldOut, versions } = await overview();
  const status = await run.server.status();
  const lossOf = ({ version, loss }: { version: number; loss: number }) => [version, loss];
  expect(heldOut.slice(-5).map(lossOf)).toEqual(status.heldOut.slice(-5).map(lossOf));
  expect(versions.at(-1)?.tokens).toBe(status.tokensMerged);
  const [loss, own] = [heldOut.at(-1)?.loss, versions.at(-1)?.loss].map((one) =>
    formatLoss(one ?? Number.NaN),
  );
  await page.getByRole("img", { name: `held-out now ${loss}, volunteers ${own}` }).waitFor();
  /** The picture once nothing is drawn over it any more. */
  const atRest = async (of: string) => {
    let before = "";
    const isSame = async () => {
      const last = before;
      before = await picture(of);
      return before === last;
    };
    await expect.poll(isSame).toBe(true);
    return before;
  };
  for (const of of ["Curves of the loss", "Curve of seconds a version"]) {
    await page.getByLabel("Over tokens").check();
    const overTokens = await atRest(of);
    await page.getByLabel("Over time served").check();
    await expect.poll(() => picture(of)).not.toBe(overTokens);
    await page.getByLabel("Over tokens").check();
    await expect.poll(() => picture(of)).toBe(overTokens);
  }
});

it("hands the model out: the files are those that the command line writes", async () => {
  const download = async (name: string) => {
    const started = page.waitForEvent("download");
    await page.getByRole("link", { name }).click();
    return readFile(await (await started).path());
  };
  const write = async (...flags: string[]) => {
    const out = join(directory, flags.join(""));
    await runCommand("export", run.server.origin, ...flags, "--out", out);
    return out;
  };
  for (const type of ["f32", "f16"]) {
    const file = await download(type === "f32" ? "GGUF, exact" : "GGUF, half the size");
    expect(file.equals(await readFile(await write("--format", "gguf", "--type", type)))).toBe(true);
  }
  const archive = await download("Hugging Face folder");
  const folder = await write("--format", "hf");
  const names = await readdir(folder);
  expect(names).toEqual(expect.arrayContaining(["config.json", "model.safetensors", "tokenizer.json"]));
  for (const name of names) {
    const at = archive.indexOf(name) + name.length; // stored without compression, after its name
    const bytes = await readFile(join(folder, name));
    expect(archive.subarray(at, at + bytes.length).equals(bytes), name).toBe(true);
  }
});
