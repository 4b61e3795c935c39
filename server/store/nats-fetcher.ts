import { parentPort, workerData } from "node:worker_threads";
import { crc32 } from "node:zlib";
import { messageOf } from "../../model/lib/message-of.ts";
import { MinorGc } from "../lib/minor-gc.ts";
import { nextIn } from "./inbox.ts";
import type { Fetch, Fetched, FetcherData, FromFetcher } from "./inbox-thread.ts";
import { BRING_MS, managerOf } from "./nats-manager.ts";
import { connectTo } from "./open-cluster.ts";
import { splitMessage } from "./record-parts.ts";

/** The thread that reads an inbox; inbox-thread.ts is the other side. */
const { address, stream }: FetcherData = workerData;
// Whether the cluster is one to trust its server has found out.
const manager = await managerOf(await connectTo({ address, unsafe: true }), BRING_MS);
const minorGc = new MinorGc();

parentPort?.on("message", async ({ id, ...what }: Fetch & { readonly id: number }) => {
  try {
    const found = await framesOf(what);
    const bytes = found.flatMap((message) => (message.bytes ? [message.bytes.buffer] : []));
    reply({ id, found }, bytes);
  } catch (error) {
    reply({ id, failed: messageOf(error) });
  }
});
reply({ ready: true });

async function framesOf(what: Fetch): Promise<readonly Fetched[]> {
  if ("seq" in what) return [await read(what.seq, () => what.tail)];
  const { state } = await manager.streams.info(stream);
  return Promise.all(nextIn(state, what).map((seq) => read(seq, frameBytes)));
}

/** What a node nearby has; the leading one is asked by whoever knows what to do where that one lacks it, too. */
async function read(seq: number, tailOf: (message: Uint8Array<ArrayBuffer>) => number): Promise<Fetched> {
  const message = await manager.direct.getMessage(stream, { seq }).catch(() => null);
  if (message === null) return { seq };
  minorGc.received(message.data.length);
  const bytes = new Uint8Array(message.data); // a buffer of its own, which can be handed over
  const tail = tailOf(bytes);
  return tail > bytes.length
    ? { seq, bytes }
    : { seq, bytes, check: crc32(bytes.subarray(bytes.length - tail)) };
}

/** The length of the frame that a message ends with; none where it is no server's of ours. */
function frameBytes(message: Uint8Array<ArrayBuffer>): number {
  try {
    return splitMessage(splitMessage(message).body).body.length;
  } catch {
    return 0;
  }
}

function reply(message: FromFetcher, transfer: readonly ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}
