import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * Programs that some tests drive, by Debian's package of each. Chromium is not among them: no browser test goes without
 * it (chromium.ts).
 */
const PROGRAMS = {
  "firefox-esr": ["firefox-esr", "firefox"],
  "webkit2gtk-driver": ["WebKitWebDriver"],
  xvfb: ["xvfb-run"],
  xauth: ["xauth"],
  "nginx-light": ["nginx"],
  caddy: ["caddy"],
} as const;
export type Package = keyof typeof PROGRAMS;

/** The path of a package's program, or undefined where it is not installed. */
export const programOf = (name: Package): string | undefined => onPath(PROGRAMS[name]);

/** The first of the programs that is on the PATH. */
export function onPath(names: readonly string[]): string | undefined {
  const directories = (process.env.PATH ?? "").split(delimiter);
  return directories
    .flatMap((directory) => names.map((name) => join(directory, name)))
    .find((path) => existsSync(path));
}

/** Installs what is missing, and `more`, where tests run as root and apt-get is there: in a container. */
export function installPrograms(...more: readonly string[]): void {
  if (process.getuid?.() !== 0) return;
  const missing = (Object.keys(PROGRAMS) as Package[]).filter((name) => programOf(name) === undefined);
  if (missing.length + more.length > 0) installPackages([...missing, ...more]);
}

/**
 * Whether tests that need these packages have to be skipped, and says so in a line. Throws where `CI` is set: there a
 * test that is skipped is a test that nobody sees fail.
 */
export function areMissing(what: string, ...packages: readonly Package[]): boolean {
  const missing = packages.filter((name) => programOf(name) === undefined);
  if (missing.length === 0) return false;
  const line = `${what}: not tested, for want of Debian's ${missing.join(", ")}`;
  if (process.env.CI !== undefined && process.env.CI !== "") throw new Error(line);
  process.stderr.write(`${line}\n`);
  return true;
}

/** Installs Debian packages, as root or with password-less sudo. Returns whether it could. */
export function installPackages(names: readonly string[]): boolean {
  if (!succeeds("apt-get", "--version")) return false;
  process.stderr.write(`Installing what tests need: ${names.join(", ")}…\n`);
  const command = [...(process.getuid?.() === 0 ? [] : ["sudo", "-n"]), "apt-get"] as const;
  const apt = (...args: readonly string[]) => succeeds(command[0], ...command.slice(1), ...args);
  // A container that tests run in need not outlive a power cut: nothing waits until a file is on the disk.
  const options = ["-y", "-qq", "--no-install-recommends", "-o", "Dpkg::Options::=--force-unsafe-io"];
  return apt("update", "-qq") && apt("install", ...options, ...names);
}

/** Runs a command to its end; only its errors are shown. */
export function succeeds(command: string, ...args: readonly string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  return spawnSync(command, args, { stdio: ["ignore", "ignore", "inherit"], env }).status === 0;
}
