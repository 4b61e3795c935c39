import { fetchNatsServer } from "./nats-server.ts";

/**
 * `npm run nats-server`: unpacks the newest nats-server that can be had, where the one that is there is too old for a run.
 * `npm test` does so beside its checks, since it waits for the network.
 */
fetchNatsServer();
