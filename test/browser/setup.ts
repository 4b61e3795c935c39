import type { TestProject } from "vitest/node";
import { findChromium } from "./chromium.ts";
import { buildPages, removePages } from "./pages-fixture.ts";
import { installPrograms } from "./programs.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Path of the Chromium that browser tests drive. */
    chromium: string;
    /** Directory of the built pages, with the scripted Worker. */
    pages: string;
  }
}

/**
 * Finds (or installs) what browser tests drive and builds the pages, once for all and before any of them starts. Does
 * nothing where no project of browser tests was asked for.
 */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  if (!project.vitest.projects.some(({ name }) => name.startsWith("browser"))) return;
  project.provide("chromium", findChromium());
  installPrograms();
  const pages = await buildPages();
  project.provide("pages", pages);
  return () => removePages(pages);
}
