import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where a folder has what Debian's packages hold, unpacked. */
const UNPACKED = "debian";

/** The file of a Debian package, installed or unpacked in the folder; undefined where it is neither. */
export const had = (folder: string, file: string): string | undefined =>
  [join("/", file), join(folder, UNPACKED, file)].find((path) => existsSync(path));

/** Fetches a package of the machine's own Debian and unpacks it in the folder; nothing is installed. */
export function unpacks(folder: string, name: string): boolean {
  if (!works("apt-get", ["download", name], folder)) return false;
  const file = readdirSync(folder).find((one) => one.startsWith(`${name}_`) && one.endsWith(".deb"));
  return file !== undefined && works("dpkg", ["-x", file, UNPACKED], folder);
}

/** Fetches a source package, whose lists this machine need not have, and unpacks these parts of it in folder/NAME. */
export function unpacksSource(folder: string, name: string, parts: readonly string[]): boolean {
  const release = readFileSync("/etc/os-release", "utf8").match(/^VERSION_CODENAME=(\w+)$/m)?.[1];
  if (release === undefined) return false;
  const list = join(folder, "debian.sources");
  const keys = "/usr/share/keyrings/debian-archive-keyring.gpg";
  writeFileSync(
    list,
    `Types: deb-src\nURIs: http://deb.debian.org/debian\nSuites: ${release}\nComponents: main\nSigned-By: ${keys}\n`,
  );
  for (const part of ["lists/partial", "cache/archives/partial", name])
    mkdirSync(join(folder, part), { recursive: true });
  const places = { "Dir::Etc::sourcelist": list, "Dir::Etc::sourceparts": "/dev/null" };
  const own = { "Dir::State::Lists": join(folder, "lists"), "Dir::Cache": join(folder, "cache") };
  const settings = Object.entries({ ...places, ...own }).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
  if (!works("apt-get", [...settings, "update"], folder)) return false;
  if (!works("apt-get", [...settings, "source", "--download-only", name], folder)) return false;
  const file = readdirSync(folder).find((one) => one.startsWith(`${name}_`) && one.includes(".orig.tar"));
  const into = ["--strip-components=1", "-C", name, "--wildcards", ...parts.map((part) => `*/${part}`)];
  return file !== undefined && works("tar", ["-xf", file, ...into], folder);
}

/** Milliseconds for a command: some of them fetch from a network that may be slow, or not there. */
const MAX_MS = 60_000;

/** Runs a command; false where it fails or takes too long. */
export const works = (command: string, args: readonly string[], cwd: string): boolean =>
  spawnSync(command, args, { cwd, stdio: "ignore", timeout: MAX_MS }).status === 0;
