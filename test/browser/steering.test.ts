import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { HttpVolunteer } from "../harness/http-volunteer.ts";
import type { ServerProcess } from "../harness/server-process.ts";
import { type SmallRun, startSmallRun } from "../harness/small-run.ts";
import { launchChromium } from "./launch.ts";
import { looksRight } from "./looks.ts";

/** A real run with a real volunteer, steered by the dashboard's own buttons. */
const SETTINGS = {
  keepSnapshots: 100,
  // The longest words that names may be: nothing may push a page wider than the screen.
  name: "Donaudampfschiff".repeat(5),
  operator: "operator.".repeat(8),
};

let run: SmallRun;
let browser: Browser;
let server: ServerProcess;
let page: Page;

beforeAll(async () => {
  [run, browser] = await Promise.all([
    startSmallRun(SETTINGS, "--volunteers", "1", "--embed-on", "https://blog.example"),
    launchChromium(),
  ]);
  ({ server } = run);
  page = await (await browser.newContext()).newPage();
  await page.goto(server.link);
  await page.getByRole("heading", { name: "Run it" }).waitFor();
});
afterAll(async () => {
  await browser.close();
  await run.end();
});

const press = (name: string) => page.getByRole("button", { name, exact: true }).click();
const record = async (version: number) => {
  const { record: found } = await (await fetch(`${server.origin}/api/versions/${version}`)).json();
  return found;
};
const logged = (what: string) => page.getByRole("cell", { name: what, exact: true }).waitFor();

it("rolls back to a stored version, after a second look", async () => {
  await server.until(({ version }) => version >= 4);
  await press("Pause");
  await page.getByText("Paused.", { exact: true }).waitFor();
  const before = (await server.status()).version;
  await page.getByLabel("To the stored version").selectOption("3");
  await press("Roll back…");
  await press("Leave it as it is");
  expect(await page.getByRole("cell", { name: /^rollback/ }).count()).toBe(0);

  await press("Roll back…");
  await press("Go back to version 3");
  await page.getByText("Rolled back to version 3.").waitFor();
  // What was under way may have made a version before it, or after.
  const { version } = await server.status();
  const since = Array.from({ length: version - before }, (_, i) => record(before + 1 + i));
  const rolled = (await Promise.all(since)).find(({ step }) => step.rolledBackTo === 3);
  expect(rolled?.model).toBe((await record(3)).model);
  await logged("rollback to version 3");

  await press("Start");
  await server.until((status) => status.version > version);
});

it("shuts a volunteer out by its key, and takes it back", async () => {
  const [banned, other] = [await HttpVolunteer.at(server.origin), await HttpVolunteer.at(server.origin)];
  await expect(banned.ticket()).resolves.toBeDefined();
  const { key } = banned.identity;
  expect(await page.getByRole("button", { name: "Ban…" }).isDisabled()).toBe(true);
  await page.getByLabel("A volunteer’s key").fill(key);
  await press("Ban…");
  await press("Cancel");
  await expect(banned.ticket()).resolves.toBeDefined();

  await press("Ban…");
  await press("Ban");
  await page.getByText("Banned.").waitFor();
  await logged(`ban ${key}`);
  await expect(banned.ticket()).rejects.toMatchObject({ code: "banned" });
  await expect(other.ticket()).resolves.toBeDefined();

  await press("Forgive");
  await page.getByText("Forgiven.", { exact: true }).waitFor();
  await logged(`forgive ${key}`);
  await expect(banned.ticket()).resolves.toBeDefined();
});

it("lists who was here and what was refused of whom, and rules on them beside their names", async () => {
  const clumsy = await HttpVolunteer.at(server.origin, { "user-agent": "Firefox/140" });
  const ticket = await clumsy.ticket();
  await expect(clumsy.upload(ticket, new Uint8Array(40))).rejects.toMatchObject({ code: "bad-frame" });
  const list = page.getByRole("region", { name: "Table of volunteers" });
  const row = list.getByRole("row").filter({ hasText: clumsy.identity.key.slice(0, 8) });
  await row.getByText("1 × bad-frame").waitFor();
  await row.getByText("New: not audited yet").waitFor();
  await row.getByText(/Firefox, computer · seen .* ago/).waitFor();
  // Who trains is there too, with what was merged of it.
  await list.getByRole("row").filter({ hasText: "Node, program" }).first().waitFor();

  await row.getByRole("button", { name: /^Ban \S/ }).click();
  await row.getByRole("button", { name: "Cancel" }).click();
  await expect(clumsy.ticket()).resolves.toBeDefined();
  await row.getByRole("button", { name: /^Ban \S/ }).click();
  await row.getByRole("button", { name: "Ban", exact: true }).click();
  await row.getByText("Banned by you").waitFor();
  await expect(clumsy.ticket()).rejects.toMatchObject({ code: "banned" });
  await row.getByRole("button", { name: "Forgive" }).click();
  await row.getByText("New: not audited yet").waitFor();
  await expect(clumsy.ticket()).resolves.toBeDefined();
});

it("the dashboard looks right with every question open", async () => {
  await page.getByLabel("A volunteer’s key").fill("k".repeat(43));
  for (const name of ["Finish…", "Roll back…", "Ban…"]) await press(name);
  await page.getByLabel("Pin the loader").check();
  await looksRight(page);
  await press("Keep it going");
});

it("the volunteers’ page looks right while it trains with the fine-tune panel open", async () => {
  const visitor = await (await browser.newContext()).newPage();
  await visitor.goto(`${server.origin}/?device=wasm`);
  await visitor.getByRole("button", { name: "Start training" }).click();
  await visitor.getByText("Fine-tune").click();
  await visitor.getByRole("checkbox", { name: "Train only from" }).check();
  await looksRight(visitor);
  await visitor.context().close();
});
