import {
  type JetStreamManager,
  jetstreamManager,
  type StreamConfig,
  type StreamInfo,
} from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { isNoStream } from "./nats-errors.ts";

/**
 * Milliseconds for which a short question waits for its answer. While a cluster elects leaders, which takes 5 to 9 s, nobody
 * ever answers most of them: whoever waits for long learns as much later that a leader is there.
 */
export const ASK_MS = 1_000;
/** Milliseconds for which a message waits to be brought, of up to 8 MB, or a stream to be made. */
export const BRING_MS = 5_000;

/**
 * Manages the streams of a cluster. Without a look at the account first, as the library would: only the node that leads all
 * others answers that, and a server that takes a run over needs nothing else from that one.
 */
export const managerOf = (connection: NatsConnection, timeout = ASK_MS): Promise<JetStreamManager> =>
  jetstreamManager(connection, { timeout, checkAPI: false });

/** What a cluster says of a stream; undefined where it has none of that name. */
export const streamIfThere = (manager: JetStreamManager, name: string): Promise<StreamInfo | undefined> =>
  manager.streams.info(name).catch((error: unknown) => {
    if (isNoStream(error)) return undefined;
    throw error;
  });

/** Makes a stream where it is missing. One that is there is not touched: only the node that leads all others could. */
export async function makeStream(
  connection: NatsConnection,
  config: Partial<StreamConfig> & Pick<StreamConfig, "name">,
): Promise<void> {
  if ((await streamIfThere(await managerOf(connection), config.name)) !== undefined) return;
  await (await managerOf(connection, BRING_MS)).streams.add(config);
}
