import type { TestProject } from "vitest/node";
import { findChromium } from "./chromium.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Path of the Chromium that browser tests drive. */
    chromium: string;
  }
}

/** Finds (or installs) a Chromium once for all browser tests, before any of them starts. */
export default function setup(project: TestProject): void {
  project.provide("chromium", findChromium());
}
