import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onPath } from "../browser/programs.ts";

/** Where an unpacked nats-server is kept between test runs. */
const CACHE = join(import.meta.dirname, "../../node_modules/.cache/nats-server");
/**
 * Debian's archives of which the newest that can be had is taken: what its next release will be made of, and its newest
 * release. An older one has 2.9.10, which syncs no writes; and a run on a cluster asks for 2.12.3 or newer.
 */
const SUITES = ["sid", "trixie"] as const;
const ARCHIVE = "http://deb.debian.org/debian";
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
/** Seconds for which the archive may be silent. */
const SILENT_SECONDS = 5;
/** The oldest version that a run on a cluster is kept on. */
const WANTED: Version = [2, 12, 3];
/** The oldest version that can sync what it stores before it acknowledges. */
export const SYNCS: Version = [2, 10, 0];

type Version = readonly [number, number, number];

/**
 * nats-server's path: NATS_SERVER in the environment, or the newest of those that are installed or unpacked. Undefined
 * where it cannot be had, with a line; throws where `CI` is set, since a test that is skipped there is one that nobody
 * sees fail.
 */
export function natsServer(): string | undefined {
  const found = process.env.NATS_SERVER ?? newestOf(places()) ?? fetchNatsServer();
  if (found !== undefined) return found;
  const line = "JetStream: not tested, for want of Debian's nats-server";
  if (process.env.CI !== undefined && process.env.CI !== "") throw new Error(line);
  process.stderr.write(`${line}\n`);
  return undefined;
}

/** Unpacks the newest one that can be had, where none that is new enough is there; says in a line which is used. */
export function fetchNatsServer(): string | undefined {
  const named = process.env.NATS_SERVER;
  if (named !== undefined) return named;
  let best = newestOf(places());
  for (const suite of [...SUITES, undefined]) {
    if (best !== undefined && !isOlder(versionOf(best), WANTED)) break;
    best = newestOf([best, unpack(suite)]);
  }
  if (best !== undefined)
    process.stderr.write(`JetStream is tested on nats-server ${versionOf(best).join(".")}\n`);
  return best;
}

/** What `nats-server --version` says; 0.0.0 where it says none. */
export function versionOf(program: string): Version {
  const { stdout } = spawnSync(program, ["--version"], { encoding: "utf8" });
  const [, major, minor, patch] = /v(\d+)\.(\d+)\.(\d+)/.exec(stdout ?? "") ?? [];
  return [Number(major ?? 0), Number(minor ?? 0), Number(patch ?? 0)];
}

export function isOlder(version: Version, than: Version): boolean {
  const differs = version.findIndex((number, i) => number !== than[i]);
  return differs >= 0 && version[differs]! < than[differs]!;
}

function places(): readonly (string | undefined)[] {
  const unpacked = existsSync(CACHE) ? readdirSync(CACHE).map((name) => programIn(join(CACHE, name))) : [];
  return [onPath(["nats-server"]), "/usr/sbin/nats-server", ...unpacked];
}

function newestOf(programs: readonly (string | undefined)[]): string | undefined {
  const there = programs.filter((program) => program !== undefined && existsSync(program));
  return there.reduce(
    (best, one) => (best === undefined || isOlder(versionOf(best), versionOf(one ?? "")) ? one : best),
    undefined,
  );
}

const programIn = (directory: string) => join(directory, "usr/sbin/nats-server");

/** The program of a suite of Debian's, or of the machine's own archive; undefined where that cannot be had. */
function unpack(suite: string | undefined): string | undefined {
  // Of its own until it is whole: test files look for it at once.
  const [own, kept] = [join(CACHE, `${suite ?? "own"}.${process.pid}`), join(CACHE, suite ?? "own")];
  const run = (command: string, ...args: string[]) =>
    spawnSync(command, args, { cwd: own, stdio: "ignore" }).status === 0;
  try {
    mkdirSync(own, { recursive: true });
    const apart = suite === undefined ? [] : aptOptions(own, suite);
    if (suite !== undefined && (apart === undefined || !run("apt-get", ...apart, "update"))) return undefined;
    if (!run("apt-get", ...(apart ?? []), "download", "nats-server")) return undefined;
    const file = readdirSync(own).find((name) => name.endsWith(".deb"));
    if (file === undefined || !run("dpkg", "-x", file, "unpacked")) return undefined;
    if (!existsSync(kept)) renameSync(join(own, "unpacked"), kept);
    return programIn(kept);
  } catch {
    return undefined; // another test file was quicker, or there is no such disk
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

/** Has apt read one suite alone, apart from what the machine itself installs from. Undefined where it is not Debian. */
function aptOptions(directory: string, suite: string): readonly string[] | undefined {
  if (!existsSync(KEYRING)) return undefined;
  const list = join(directory, "sources.list");
  writeFileSync(list, `deb [signed-by=${KEYRING}] ${ARCHIVE} ${suite} main\n`);
  mkdirSync(join(directory, "lists/partial"), { recursive: true });
  const options = {
    "Dir::Etc::sourcelist": list,
    "Dir::Etc::sourceparts": "-",
    "Dir::State::lists": join(directory, "lists"),
    "Dir::Cache": directory,
    "Acquire::Languages": "none",
    "Acquire::Retries": "0",
    "Acquire::http::Timeout": String(SILENT_SECONDS),
    "APT::Sandbox::User": "root",
  };
  return Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
}
