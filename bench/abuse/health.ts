import { get } from "node:http";
import { get as getSecurely } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";

/**
 * The thread of a monitor: asks each origin for its health on a connection of its own, again and again. It has an event
 * loop to itself, since that of the attackers is late.
 */

/** Milliseconds between two rounds. */
const EVERY_MS = 200;

const { origins }: { readonly origins: readonly string[] } = workerData;

/** Milliseconds until the whole answer is here; undefined where there is none. */
function ask(origin: string): Promise<number | undefined> {
  const begun = performance.now();
  return new Promise((resolve) => {
    const url = `${origin}/healthz`;
    const options = { agent: false, rejectUnauthorized: false } as const;
    const asking = (origin.startsWith("https:") ? getSecurely : get)(url, options, (answer) => {
      answer
        .resume()
        .on("end", () => resolve(answer.statusCode === 200 ? performance.now() - begun : undefined));
      answer.on("error", () => resolve(undefined));
    });
    asking.on("error", () => resolve(undefined));
  });
}

for (;;) {
  for (const origin of origins) parentPort?.postMessage({ ms: await ask(origin) });
  await sleep(EVERY_MS);
}
