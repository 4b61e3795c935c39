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
