import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { bundleModule, MODULE_PAGE } from "../../test/browser/bundle.ts";
import { findChromium } from "../../test/browser/chromium.ts";
import { chromiumFlags } from "../../test/browser/flags.ts";
import { openSharingSite } from "../../test/harness/sharing-site.ts";
import { throttle } from "./throttle.ts";

/** What twelve visitors come to. */
export interface Visit {
  /** Bytes of the snapshot that the server sent. */
  readonly egress: number;
  /** All bytes that the server's uplink carried, from the first arrival on. */
  readonly uplink: number;
  /** From each visitor's arrival until it had the snapshot, checked, and a ticket; milliseconds. */
  readonly took: readonly number[];
}

export const CONTEXTS = 12;
export const SNAPSHOT_BYTES = 10_000_000;
export const OVER_MS = 60_000;
/** 20 Mbit/s. */
const UPLINK = 2_500_000;

/**
 * Twelve contexts of a real Chromium that come one after another within a minute, each wanting a snapshot of 10 MB
 * and a ticket, from a real server's edge behind an uplink of 20 Mbit/s. The page is loaded before it counts.
 */
export async function visitInPages(peers: boolean, say: (line: string) => void): Promise<Visit> {
  const files = await bundleModule(join(import.meta.dirname, "../../test/browser/peers-page.ts"));
  const site = await openSharingSite(new Uint8Array(randomBytes(SNAPSHOT_BYTES)), MODULE_PAGE, files);
  const link = await throttle(Number(new URL(site.origin).port), UPLINK);
  const browser = await chromium.launch({
    executablePath: findChromium(),
    args: chromiumFlags({ peers: true }),
  });
  try {
    const pages = [];
    for (let n = 0; n < CONTEXTS; n++) {
      const page = await (await browser.newContext()).newPage();
      await page.goto(link.origin);
      await page.waitForFunction(() => "peers" in window);
      pages.push(page);
    }
    const before = link.sent();
    const began = performance.now();
    const took = await Promise.all(
      pages.map(async (page, n) => {
        const arrives = began + (n * OVER_MS) / CONTEXTS;
        await new Promise((resolve) => setTimeout(resolve, arrives - performance.now()));
        const { hash, ms } = await page.evaluate(async (share) => {
          const from = performance.now();
          if (share) await window.peers.open();
          const opened = performance.now() - from;
          const { hash, ms } = await (share ? window.peers.bring() : window.peers.bringAlone());
          return { hash, ms: ms + opened };
        }, peers);
        if (hash !== site.snapshot) throw new Error(`a wrong snapshot reached page ${n}`);
        say(
          `  visitor ${n + 1}: ${(ms / 1_000).toFixed(1)} s, ${(site.egress / 1e6).toFixed(1)} MB sent so far`,
        );
        return ms;
      }),
    );
    return { egress: site.egress, uplink: link.sent() - before, took };
  } finally {
    await browser.close();
    await link.close();
    await site.close();
  }
}
