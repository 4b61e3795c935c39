import type { Page } from "playwright-core";
import type { FakeSite } from "./pages-fixture.ts";

/** A state of a page, for screenshots.ts. */
export interface Shot {
  readonly name: string;
  readonly path: string;
  /** Sets the site up before the page is opened. */
  readonly given?: (site: FakeSite, host: FakeSite) => void;
  /** What the visitor does before the picture. */
  readonly visitor?: (page: Page, site: FakeSite) => Promise<void>;
}

/** Changes of a status: a run of which nobody trained anything yet. */
export const NOTHING_YET = {
  ...{ heldOut: [], versions: [], sample: null, samples: [], version: 0, volunteers: 0 },
  ...{ tokensMerged: 0, tokensPerSecond: 0, deltas: { merged: 0, refused: {} } },
};

/** Opens the page again, and lets nothing through that it fetches late. */
export const withoutParts = async (page: Page) => {
  await page.route(/\/assets\/(uPlot|names-panel|panel|line)[.-]/, (route) => route.abort());
  await page.reload();
};
