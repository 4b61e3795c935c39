import { existsSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { installPackages, onPath, succeeds } from "./programs.ts";

/**
 * Finds a Chromium that can be driven, or installs one: `CHROME_PATH`, then an installed Chrome or Chromium,
 * then the platform's package (Debian and its kin, as root or with password-less sudo), then Playwright's own
 * download. Throws with what was tried when none works.
 */
export function findChromium(): string {
  const named = process.env.CHROME_PATH;
  if (named !== undefined && named !== "") {
    if (existsSync(named)) return named;
    throw new Error(`CHROME_PATH is ${named}, and there is no such file`);
  }
  return installed() ?? installPackage() ?? downloadByPlaywright() ?? refuse();
}

const NAMES = [
  "chromium",
  "chromium-browser",
  "google-chrome-stable",
  "google-chrome",
  "chrome",
  "microsoft-edge",
];
const APPLICATIONS = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
  "C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe",
];

/** A Chromium that is installed. */
export function installed(): string | undefined {
  return onPath(NAMES) ?? [...APPLICATIONS, chromium.executablePath()].find((path) => existsSync(path));
}

const installPackage = () => (installPackages(["chromium"]) ? installed() : undefined);

function downloadByPlaywright(): string | undefined {
  process.stderr.write("Asking Playwright for a Chromium…\n");
  const cli = join(import.meta.dirname, "../../node_modules/playwright-core/cli.js");
  return succeeds(process.execPath, cli, "install", "chromium") ? installed() : undefined;
}

function refuse(): never {
  throw new Error(
    "The browser tests need a Chrome or Chromium, and none could be found or installed. " +
      "Install one, or set CHROME_PATH to its executable, and run `npm test` again. " +
      "`npm run test:unit` runs everything else.",
  );
}
