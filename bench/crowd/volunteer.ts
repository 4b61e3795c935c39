/**
 * A volunteer in a process of its own: the browser's round loop with the engine, over HTTP, as `murmuration volunteer` runs it.
 * Tells its parent how long each receipt took, and what it was refused. Arguments: the server's address, its own, its share.
 */
import { setPriority } from "node:os";
import { memoryCache } from "../../client/cache/cache.ts";
import { openIdentity } from "../../client/cache/entries.ts";
import { httpApi } from "../../client/transport/http.ts";
import { Control } from "../../client/worker/control.ts";
import { nodeCandidates } from "../../client/worker/device/devices.ts";
import { volunteer } from "../../client/worker/loop.ts";
import type { Report } from "../../client/worker/messages.ts";
import { openLanguageRun } from "../../client/worker/open-run.ts";
import { monotonic, sleep } from "../../client/worker/time.ts";
import { NICENESS } from "../../server/app/local-volunteers.ts";
import type { Told } from "./messages.ts";

const [server, address, share] = process.argv.slice(2);
if (server === undefined || address === undefined) throw new Error("a server and an address are needed");
setPriority(NICENESS);
const tell = (told: Told) => process.send?.(told);
const api = httpApi({
  server,
  fetch: (url, init) => {
    const headers = new Headers(init?.headers);
    headers.set("x-forwarded-for", address);
    return fetch(url, { ...init, headers });
  },
});
const { upload } = api;
api.upload = async (...given) => {
  const began = performance.now();
  const receipt = await upload(...given);
  tell({ type: "receipt", ms: performance.now() - began });
  return receipt;
};
const report = (one: Report) => {
  if (one.type === "refused") tell({ type: "refused", code: one.code });
};
const control = new Control(report, Number(share));
process.on("disconnect", () => control.stop());
await volunteer({
  api,
  control,
  report,
  clock: monotonic,
  random: Math.random,
  sleep,
  open: async (manifest) => {
    const cache = memoryCache();
    const identity = await openIdentity(cache);
    const candidates = nodeCandidates();
    return openLanguageRun({ manifest, cache, identity, candidates, only: undefined, control, report });
  },
});
process.exit();
