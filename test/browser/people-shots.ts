import type { Page } from "playwright-core";
import { EXAMPLE_TEAM, exampleStatus, type FakeSite } from "./pages-fixture.ts";
import type { Shot } from "./shot.ts";

const openNames = (page: Page) => page.getByText("Names, and your data").click();

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
