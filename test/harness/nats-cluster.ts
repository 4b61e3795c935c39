import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { JetStreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { isOlder, SYNCS, versionOf } from "./nats-server.ts";

/** Milliseconds until a node must answer: three of them elect a leader first. */
const READY_MS = 60_000;
/** Milliseconds between two tries of a node that was lost. */
const RECONNECT_MS = 100;

interface Node {
  process: ChildProcess;
  start(): ChildProcess;
}

/** One or more nodes on loopback, in directories of their own. */
export class NatsCluster {
  readonly addresses: readonly string[];
  /** Where each says how it does. */
  readonly monitors: readonly string[];
  readonly #directory: string;
  readonly #nodes: Node[];

  private constructor(
    directory: string,
    { addresses, monitors }: Pick<NatsCluster, "addresses" | "monitors">,
    nodes: Node[],
  ) {
    this.#directory = directory;
    this.addresses = addresses;
    this.monitors = monitors;
    this.#nodes = nodes;
  }

  static async start(program: string, count: number): Promise<NatsCluster> {
    const directory = await mkdtemp(join(tmpdir(), "murmuration-nats-"));
    const ports = await freePorts(3 * count);
    const [clients, routes] = [ports.slice(0, count), ports.slice(count, 2 * count)];
    const monitors = ports.slice(2 * count);
    const nodes: Node[] = [];
    const synced = isOlder(versionOf(program), SYNCS) ? "" : ", sync_interval: always";
    for (const [i, port] of clients.entries()) {
      const cluster = `cluster { name: test, listen: "127.0.0.1:${routes[i]}", routes: [${routes
        .map((route) => `"nats://127.0.0.1:${route}"`)
        .join(", ")}] }`;
      const lines = [
        `server_name: n${i}`,
        `listen: "127.0.0.1:${port}"`,
        `http: "127.0.0.1:${monitors[i]}"`,
        "max_payload: 8MB",
        `jetstream { store_dir: "${join(directory, `n${i}`)}"${synced} }`,
        ...(count > 1 ? [cluster] : []),
      ];
      const config = join(directory, `n${i}.conf`);
      await writeFile(config, lines.join("\n"));
      const start = () => spawn(program, ["-c", config], { stdio: "ignore" });
      nodes.push({ start, process: start() });
    }
    const at = (port: number) => `127.0.0.1:${port}`;
    const places = { addresses: clients.map(at), monitors: monitors.map(at) };
    return new NatsCluster(directory, places, nodes);
  }

  /** Kills a node with −9, or has it end in order: then it keeps nothing to replay. */
  async kill(place: number, signal: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<void> {
    const node = this.#nodes[place]?.process;
    if (node === undefined || node.exitCode !== null || node.signalCode !== null) return;
    const ended = once(node, "exit");
    node.kill(signal);
    await ended;
  }

  /** Starts a node again that was killed. */
  restart(place: number): void {
    const node = this.#nodes[place];
    if (node !== undefined) node.process = node.start();
  }

  /**
   * Flips one bit in the middle of the oldest file of what a node has stored of a stream, behind its back: kill it first.
   * Its newest file would be mended by the other nodes: false where there is no other.
   */
  async flip(place: number, stream: string): Promise<boolean> {
    const folder = join(this.#directory, `n${place}`, "jetstream/$G/streams", stream, "msgs");
    const files = (await readdir(folder)).filter((name) => name.endsWith(".blk"));
    const [oldest, newest] = files.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
    if (oldest === undefined || newest === undefined) return false;
    const bytes = await readFile(join(folder, oldest));
    bytes[bytes.length >> 1]! ^= 0x10;
    await writeFile(join(folder, oldest), bytes);
    return true;
  }

  /** Has a node lead a stream. */
  async lead(
    connection: NatsConnection,
    manager: JetStreamManager,
    place: number,
    stream: string,
  ): Promise<void> {
    for (const until = performance.now() + READY_MS; performance.now() < until; ) {
      const { cluster } = await manager.streams.info(stream).catch(() => ({ cluster: undefined }));
      const follows = cluster?.replicas?.find(({ name }) => name === `n${place}`);
      if (cluster?.leader === `n${place}`) return;
      if (cluster?.leader && follows?.current)
        await connection.request(`$JS.API.STREAM.LEADER.STEPDOWN.${stream}`).catch(() => {});
      await sleep(200);
    }
    throw new Error(`node ${place} does not get to lead ${stream}`);
  }

  /** A connection to any node, once one answers. */
  connect(): Promise<NatsConnection> {
    return connect({
      ...{ servers: [...this.addresses], waitOnFirstConnect: true, timeout: READY_MS },
      ...{ maxReconnectAttempts: -1, reconnectTimeWait: RECONNECT_MS },
    });
  }

  async stop(): Promise<void> {
    for (const place of this.#nodes.keys()) await this.kill(place);
    await rm(this.#directory, { recursive: true, force: true });
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      return server;
    }),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
