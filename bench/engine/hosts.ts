import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { chromium } from "playwright-core";
import { serveModule } from "../../test/browser/bundle.ts";
import { findChromium } from "../../test/browser/chromium.ts";
import { chromiumFlags } from "../../test/browser/flags.ts";
import type { Job, Turn } from "./job.ts";
import type {} from "./page.ts";

/** Where turns are taken: each in a process of its own, so that none finds another's heap, caches or threads. */
export interface Host {
  /** The runtime with its version, as it stands beside every ratio. */
  readonly runtime: string;
  take(job: Job): Promise<Turn>;
  close(): Promise<void>;
}

/** A contestant that could not take its turn, with what it said. */
export class TurnFailed extends Error {
  override readonly name = "TurnFailed";

  constructor({ contestant, config, device }: Job, reason: string) {
    super(`${contestant} on ${config}/${device}: ${reason}`);
  }
}

const run = promisify(execFile);
/** Every turn ends well within it, even stock tfjs' on the software adapter. */
const PATIENCE_MS = 15 * 60_000;

export const nodeHost = (): Host => ({
  runtime: `Node ${process.versions.node}`,
  take: async (job) => {
    const script = join(import.meta.dirname, "turn.ts");
    const options = { maxBuffer: 2 ** 26, timeout: PATIENCE_MS };
    const { stdout } = await run(process.execPath, [script, JSON.stringify(job)], options).catch((error) => {
      throw new TurnFailed(job, lastLine(String(error.stderr || error)));
    });
    return JSON.parse(lastLine(stdout)); // turn.ts'
  },
  close: async () => {},
});

/**
 * Bundles the page once and starts a browser a turn. The page is not cross-origin isolated, like any page that
 * would embed a trainer: so jax-js, whose threads need shared memory, has one thread there.
 */
export async function chromiumHost(): Promise<Host> {
  const executablePath = findChromium();
  const first = await chromium.launch({ executablePath, args: chromiumFlags() });
  const runtime = `Chromium ${first.version()}`;
  await first.close();
  const served = await serveModule(join(import.meta.dirname, "page.ts"));
  return {
    runtime,
    take: async (job) => {
      const args = chromiumFlags({ webgpu: job.device === "webgpu" });
      const browser = await chromium.launch({ executablePath, args });
      const impatience = setTimeout(() => void browser.close(), PATIENCE_MS); // whoever waits for it hears of it
      try {
        const page = await browser.newPage();
        await page.goto(served.url);
        await page.waitForFunction(() => "takeTurn" in globalThis);
        return await page.evaluate((given) => globalThis.takeTurn(given), job);
      } catch (error) {
        throw new TurnFailed(job, String(error));
      } finally {
        clearTimeout(impatience);
        await browser.close();
      }
    },
    close: () => served.close(),
  };
}

const lastLine = (text: string): string => text.trimEnd().split("\n").at(-1)!;
