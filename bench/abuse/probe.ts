/**
 * Loaded into a server's process (`node --expose-gc --import`), where it says over IPC what the process holds. The
 * program itself is the one that is served to everybody.
 */
export interface Held {
  /** TCP connections that are open. */
  readonly sockets: number;
  /** Bytes of the heap and of buffers, after a collection of all garbage. */
  readonly bytes: number;
  /** Bytes of memory that the system counts as the process's own. */
  readonly rss: number;
}

/** Connections, plain and encrypted, as Node names what keeps its loop busy. */
const CONNECTIONS = new Set(["TCPSocketWrap", "TLSWrap"]);

process.on("message", () => {
  // The last resort also gives back pages that V8 keeps empty for its next garbage: 20 to 50 MiB that nothing lies in.
  globalThis.gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
  const { heapUsed, external, rss } = process.memoryUsage();
  const sockets = process.getActiveResourcesInfo().filter((kind) => CONNECTIONS.has(kind)).length;
  process.send?.({ sockets, bytes: heapUsed + external, rss } satisfies Held);
});
process.channel?.unref(); // listening here must not keep a server alive that was asked to stop
