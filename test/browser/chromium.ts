import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";

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

function installed(): string | undefined {
  const onPath = (process.env.PATH ?? "")
    .split(delimiter)
    .flatMap((dir) => NAMES.map((name) => join(dir, name)));
  return [...onPath, ...APPLICATIONS, chromium.executablePath()].find((path) => existsSync(path));
}

function installPackage(): string | undefined {
  if (!run("apt-get", "--version")) return undefined;
  const sudo = process.getuid?.() === 0 ? [] : ["sudo", "-n"];
  const apt = (...args: string[]) => run(...([...sudo, "apt-get", ...args] as [string, ...string[]]));
  process.stderr.write("No Chrome or Chromium found: installing the package `chromium`…\n");
  if (!apt("update", "-qq") || !apt("install", "-y", "-qq", "--no-install-recommends", "chromium"))
    return undefined;
  return installed();
}

function downloadByPlaywright(): string | undefined {
  process.stderr.write("Asking Playwright for a Chromium…\n");
  const cli = join(import.meta.dirname, "../../node_modules/playwright-core/cli.js");
  return run(process.execPath, cli, "install", "chromium") ? installed() : undefined;
}

function run(command: string, ...args: string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  return spawnSync(command, args, { stdio: ["ignore", "ignore", "inherit"], env }).status === 0;
}

function refuse(): never {
  throw new Error(
    "The browser tests need a Chrome or Chromium, and none could be found or installed. " +
      "Install one, or set CHROME_PATH to its executable, and run `npm test` again. " +
      "`npm run test:unit` runs everything else.",
  );
}
