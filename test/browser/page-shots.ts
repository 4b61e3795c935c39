import { EXAMPLE_PAGE } from "./example-people.ts";
import { WORKER } from "./pages-fixture.ts";
import type { Shot } from "./shot.ts";

/** The pages beside training: to ask the model, to understand it, to measure, and about one person. */
export const PAGE_SHOTS: readonly Shot[] = [
  {
    name: "how-failed",
    path: "/how",
    async visitor(page) {
      await page.route(WORKER, (route) => route.abort());
      await page.getByRole("button", { name: "Let it learn" }).click();
      await page.getByText("could not be loaded").waitFor();
    },
  },
  { name: "playground", path: "/playground" },
  {
    name: "playground-written",
    path: "/playground",
    async visitor(page) {
      await page.getByRole("button", { name: "Load the model" }).click();
      await page.getByRole("button", { name: "Write", exact: true }).click();
      await page.getByText("What it would write next").waitFor();
    },
  },
  { name: "how", path: "/how" },
  {
    name: "how-learning",
    path: "/how",
    async visitor(page) {
      await page.getByRole("button", { name: "Let it learn" }).click();
      await page.getByRole("checkbox", { name: "As fast as it can" }).check();
      await page.getByText(/^[1-9]\d\d steps/).waitFor({ timeout: 120_000 });
      await page.getByRole("button", { name: "Pause" }).click();
    },
  },
  { name: "bench", path: "/bench" },
  {
    name: "bench-done",
    path: "/bench?config=tiny",
    async visitor(page) {
      await page.getByRole("button", { name: "Measure" }).click();
      await page.getByText("Done.").waitFor({ timeout: 120_000 });
    },
  },
  { name: "person", path: `/person?id=${EXAMPLE_PAGE}` },
  { name: "person-none", path: "/person" },
];
