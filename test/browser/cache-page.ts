import { browserCache, forgetOtherRuns } from "../../client/cache/browser.ts";
import { openIdentity } from "../../client/cache/entries.ts";
import type { RunId } from "../../protocol/ids.ts";

const run = (digit: string): RunId => digit.repeat(64) as RunId; // a test's word for it
const SERVER = "https://run.test";

const page = {
  async write(changes: Record<string, unknown>) {
    await browserCache(SERVER, run("a")).write(changes);
  },
  async writeWeights(values: number[]) {
    await browserCache(SERVER, run("a")).write({
      replica: { weights: Float32Array.from(values), version: 3 },
    });
  },
  /** A write whose second value no store can hold. */
  async writeFunction() {
    await browserCache(SERVER, run("a")).write({ first: 1, second: () => 0 });
  },
  get: (key: string) => browserCache(SERVER, run("a")).get(key),
  /** The volunteer's key, and whether a script could read its private half. */
  async identity(digit = "a", portable = false) {
    const { key, privateKey } = await openIdentity(browserCache(SERVER, run(digit)), portable);
    return { key, extractable: privateKey.extractable };
  },
  /** Another run takes this one's place. */
  async replaceRun() {
    await browserCache(SERVER, run("b")).write({ a: 1 });
    await browserCache("https://other.test", run("a")).write({ a: 1 });
    await forgetOtherRuns(SERVER, run("b"));
  },
  databases: async () => (await indexedDB.databases()).map(({ name }) => name).sort(),
};
export type CachePage = typeof page;

declare global {
  var cachePage: CachePage;
}
globalThis.cachePage = page;
