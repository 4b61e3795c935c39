import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

/**
 * Runs scripts of package.json all at once, `node test/at-once.ts NAME…`, and shows what each said when it has ended,
 * one after another. All of them run to their end; the exit code is 1 if any failed.
 */
async function run(name: string): Promise<boolean> {
  // `npm run` says nothing of its own to a pipe with --silent, and passes the script's exit code on.
  const child = spawn("npm", ["run", "--silent", name], { stdio: ["ignore", "pipe", "pipe"] });
  const [out, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  process.stdout.write(`${code === 0 ? "ok" : "FAILED"}: ${name}\n${out}${errors}`);
  return code === 0;
}

const names = process.argv.slice(2);
if (names.length === 0) throw new Error("usage: node test/at-once.ts NAME…");
const good = await Promise.all(names.map(run));
process.exitCode = good.every(Boolean) ? 0 : 1;
