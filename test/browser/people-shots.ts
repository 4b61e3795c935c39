import type { Page } from "playwright-core";
import { drawReader, readCode } from "../../client/volunteer/people/code.ts";
import { sealKey } from "../../client/volunteer/people/key-file.ts";
import { CODE_MS, type CodeAnswer } from "../../protocol/code.ts";
import { createIdentity } from "../../protocol/identity.ts";
import { SERVER_NONCE_HEADER } from "../../protocol/request.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { EXAMPLE_TEAM } from "./example-people.ts";
import { trainingScript } from "./example-script.ts";
import { exampleStatus } from "./example-status.ts";
import type { FakeSite } from "./pages-fixture.ts";
import type { Shot } from "./shot.ts";

const openNames = (page: Page, words = "Names, and your data") => page.getByText(words).first().click();

/** Below its text is what was added before. */
const texts = (site: FakeSite, changes: Partial<NonNullable<FakeSite["texts"]>> = {}) => {
  site.texts = {
    ...{ operator: "Ann", maxBytes: 4 * 1024 ** 3, freeBytes: 61_000_000_000 },
    ...{ upload: null, work: null, failed: null },
    texts: [
      { name: "whales.jsonl.gz", bytes: 41_300_000, tokens: 12_345_678, duplicates: 120, waits: false },
      {
        name: "letters-of-a-very-long-voyage-1851.parquet",
        bytes: 9_100_000,
        tokens: 2_400_000,
        duplicates: 0,
        waits: true,
      },
    ],
    ...changes,
  };
};
const moreText = (page: Page) => page.getByRole("heading", { name: "More text" }).scrollIntoViewIfNeeded();

/** Moves to a run where the server says that this browser helps most. */
const beMoved = (fragment: string) => async (page: Page, site: FakeSite) => {
  const { run } = exampleStatus();
  await page.evaluate(
    ([server, run]) => localStorage.setItem("murmuration-anywhere", JSON.stringify({ server, runs: [run] })),
    [site.origin, run] as const,
  );
  await page.goto(`${site.origin}/r/whales/${fragment}`);
  await page.getByRole("complementary").waitFor();
};

/**
 * Gives the browser a key from a file, and has its panel show a code, whose box answers as a server's would: with nothing
 * yet, until `read` is called.
 */
export async function showCode(page: Page, words?: string): Promise<{ read(): Promise<void> }> {
  const { run } = exampleStatus();
  const owner = await createIdentity(true);
  const began = trainingScript().find((report) => report.type === "run");
  const box: CodeAnswer = { left: CODE_MS - 3_000, knock: null, hand: null, taken: false };
  let now = box;
  await page.route(`**${ROUTES.manifest}`, (route) =>
    route.fulfill({
      json: { ...began?.manifest, server: owner.key },
      headers: { [SERVER_NONCE_HEADER]: "A".repeat(22) },
    }),
  );
  await page.route(`**${ROUTES.myCode}`, (route) => route.fulfill({ json: now }));
  await openNames(page, words);
  const panel = page.locator(".people");
  await panel.locator("input[type=password]").fill("a long passphrase");
  const buffer = Buffer.from(await sealKey(owner, run, "a long passphrase"));
  await panel
    .locator("input[type=file]")
    .setInputFiles({ name: "key.json", mimeType: "application/json", buffer });
  await panel
    .locator("input[type=file] ~ .buttons button, label:has(input[type=file]) + .buttons button")
    .click();
  // In every language what goes on ends with dots, and what is done does not.
  await page
    .locator(".people .said")
    .filter({ hasText: /^[^…]+$/ })
    .waitFor();
  await page.locator(".people .code .buttons button").first().click();
  await page.locator(".people .link").waitFor();
  return {
    async read() {
      const code = await readCode(await page.locator(".people .link").innerText(), run);
      now = { ...box, knock: (await drawReader(code)).knock };
      await page.locator(".people .digits").waitFor();
    },
  };
}

/** A volunteer's key and team, a run that the server chose, and text that is added. */
export const PEOPLE_SHOTS: readonly Shot[] = [
  { name: "team", path: `/person?team=${EXAMPLE_TEAM.id}` },
  { name: "team-none", path: "/person?team=AAAAAAAAAAAAAAAAAAAAAA" },
  {
    name: "people-unlink",
    path: "/",
    async visitor(page) {
      await openNames(page);
      await page.getByRole("button", { name: "Count this key by itself…" }).click();
    },
  },
  { name: "code-shown", path: "/", visitor: async (page) => void (await showCode(page)) },
  { name: "code-compared", path: "/", visitor: async (page) => (await showCode(page)).read() },
  {
    name: "lobby-anywhere",
    path: "/lobby",
    visitor: (page) => page.getByRole("button", { name: "Help anywhere…" }).click(),
  },
  { name: "code-read", path: "/#code=AAAAAAAAAAAAAAAAAAAAAA" },
  { name: "moved", path: "/", visitor: beMoved("#moved=recipes") },
  { name: "moved-chosen", path: "/", visitor: beMoved("#moved") },
  {
    name: "moved-ended",
    path: "/",
    async visitor(page, site) {
      await beMoved("#moved=recipes")(page, site);
      await page.getByRole("complementary").getByRole("button").click();
    },
  },
  { name: "more-text", path: "/operator#link=good", given: (site) => texts(site), visitor: moreText },
  {
    name: "more-text-address",
    path: "/operator#link=good",
    given: (site) =>
      texts(site, {
        failed: { code: "private-address", message: "db.internal is not an address of the public internet" },
      }),
    async visitor(page) {
      await moreText(page);
      await page.getByText("An address", { exact: true }).click();
    },
  },
  {
    name: "more-text-adding",
    path: "/operator#link=good",
    given: (site) => texts(site, { work: { stage: "encoding", done: 12_000_000, total: 41_300_000 } }),
    visitor: moreText,
  },
];
