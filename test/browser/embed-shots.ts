import { badge } from "../../server/http/badge.ts";
import { exampleStatus } from "./example-status.ts";
import type { FakeSite } from "./pages-fixture.ts";
import type { Shot } from "./shot.ts";

/** The tag of a site that lets its visitors try the model. */
const offering = (_: FakeSite, host: FakeSite) => {
  host.hostPage = host.hostPage.replace("<script defer ", "<script defer data-ask ");
};

/** The box on other sites, in its states. */
export const EMBED_SHOTS: readonly Shot[] = [
  { name: "frame", path: "/frame" },
  { name: "embed-offer", path: "/host" },
  {
    name: "embed-ask",
    path: "/host",
    async visitor(page) {
      await page.getByRole("button", { name: "Help train our reader" }).click();
      await page.frameLocator("iframe").getByText("Yes, help train").waitFor();
    },
  },
  {
    name: "embed-finished",
    path: "/host",
    given: (site) => {
      site.status = exampleStatus({ state: "finished" });
    },
    async visitor(page) {
      await page.getByRole("button", { name: "Help train our reader" }).click();
      await page.frameLocator("iframe").getByText("Nothing is left to train").waitFor();
    },
  },
  {
    name: "embed-paused",
    path: "/host",
    async visitor(page) {
      await page.getByRole("button", { name: "Help train our reader" }).click();
      await page.frameLocator("iframe").getByRole("button", { name: "Yes, help train" }).click();
      await page.frameLocator("iframe").getByRole("button", { name: "Pause" }).click();
      await page.frameLocator("iframe").getByText("Paused by you").first().waitFor();
    },
  },
  {
    name: "badge",
    path: "/host",
    async visitor(page) {
      const source = `data:image/svg+xml,${encodeURIComponent(badge("trained here", "21.4M tokens"))}`;
      await page.locator("main").evaluate((main, src) => {
        main.append(Object.assign(new Image(), { src, alt: "trained here: 21.4M tokens" }));
      }, source);
    },
  },
  {
    name: "embed-blocked",
    path: "/host",
    async visitor(page) {
      await page.route("**/frame", (route) => route.abort());
      await page.getByRole("button", { name: "Help train our reader" }).click();
      await page.getByText("could not be loaded").waitFor();
    },
  },
  {
    name: "embed-training",
    path: "/host",
    async visitor(page) {
      await page.getByRole("button", { name: "Help train our reader" }).click();
      await page.frameLocator("iframe").getByRole("button", { name: "Yes, help train" }).click();
      await page.frameLocator("iframe").getByText("Training on a passage").waitFor();
    },
  },
  { name: "embed-try-offer", path: "/host", given: offering },
  {
    name: "embed-try",
    path: "/host",
    given: offering,
    visitor: (page) => page.getByRole("button", { name: "Try the model" }).click(),
  },
  {
    name: "embed-try-written",
    path: "/host",
    given: offering,
    async visitor(page) {
      await page.getByRole("button", { name: "Try the model" }).click();
      await page.frameLocator("iframe").getByRole("textbox").fill("The whale");
      await page.frameLocator("iframe").getByRole("button", { name: "Write" }).click();
      await page.frameLocator("iframe").locator("blockquote").waitFor();
    },
  },
  {
    name: "embed-try-training",
    path: "/host",
    given: offering,
    async visitor(page) {
      await page.getByRole("button", { name: "Help train our reader" }).click();
      await page.frameLocator("iframe").getByRole("button", { name: "Yes, help train" }).click();
      await page.frameLocator("iframe").getByText("Training on a passage").waitFor();
    },
  },
];
