import { type JetStreamManager, jetstreamManager, type StreamConfig } from "@nats-io/jetstream";
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

/** Makes a stream where it is missing. One that is there is not touched: only the node that leads all others could. */
export async function makeStream(
  connection: NatsConnection,
  config: Partial<StreamConfig> & Pick<StreamConfig, "name">,
): Promise<void> {
  try {
    await (await managerOf(connection)).streams.info(config.name);
  } catch (error) {
    if (!isNoStream(error)) throw error;
    await (await managerOf(connection, BRING_MS)).streams.add(config);
  }
}
