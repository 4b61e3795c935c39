import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { createSecureContext } from "node:tls";
import { fileURLToPath } from "node:url";
import type { Hono } from "hono";
import { messageOf } from "../../model/lib/message-of.ts";
import type { ProcessMeters } from "../app/operator.ts";
import type { ServeOptions } from "../app/serve-options.ts";
import type { Log } from "../lib/log.ts";
import type { Edge } from "../net/edge.ts";
import { type Listening, type ListenOptions, listen } from "../net/listen.ts";
import { prefixOf } from "../net/network.ts";
import { originOf } from "./console.ts";
import { lineOf, StartError } from "./failure.ts";

/** Milliseconds from asking the server to stop until open connections are cut. */
const GRACE_MS = 2_000;
/** Milliseconds between two checks of deadlines and leases, of one run or of several. */
export const TICK_MS = 50;

export interface Tls {
  readonly cert: string;
  readonly key: string;
}

/** Reads a certificate and its key, and tries them: a server that cannot use them should not first make a corpus. */
export async function readTls(files: Tls): Promise<Tls> {
  const pem = { cert: await readPem("--tls-cert", files.cert), key: await readPem("--tls-key", files.key) };
  try {
    createSecureContext(pem);
    return pem;
  } catch (error) {
    const why = messageOf(error);
    throw new StartError(
      `the certificate ${files.cert} and the key ${files.key} cannot be used: ${why}. Both must be PEM, the key ` +
        "without a passphrase and the certificate's own",
    );
  }
}

function readPem(flag: string, file: string): Promise<string> {
  return readFile(file, "utf8").catch((error: unknown) => {
    throw new StartError(`${flag}: ${lineOf(error)}`);
  });
}

/** The sockets, and how volunteers on this machine reach them. */
export async function openListeners(
  app: Pick<Hono<Edge>, "fetch">,
  {
    upgrades,
    within,
    meters,
  }: Pick<ListenOptions, "upgrades" | "within"> & { readonly meters: ProcessMeters },
  flags: ServeOptions,
  tls: Tls | undefined,
  log: Log,
): Promise<{ port: number; local: string; close(): Promise<void> }> {
  const { host, port } = flags;
  const open: Listening[] = [];
  const add = async (where: Parameters<typeof listen>[1]) => {
    const onSocket = (socket: Socket) => meters.traffic.watch(socket);
    // Behind a proxy every connection comes from the proxy.
    const networkOf = (socket: Socket) =>
      flags.proxies > 0 ? undefined : prefixOf(socket.remoteAddress ?? "");
    const { basePath } = flags;
    const listening = await listen(app, {
      ...{ ...where, basePath, onSocket, networkOf, log },
      ...(upgrades && { upgrades }),
      ...(within && { within }),
    });
    open.push(listening);
    return listening.port;
  };
  const taken = await add({ host, port, ...(tls && { tls }) });
  // A certificate seldom names this machine's loopback address, so our own volunteers get plain HTTP there.
  const inside = tls && flags.volunteers > 0 ? await add({ host: "127.0.0.1", port: 0 }) : undefined;
  return {
    port: taken,
    local: originOf(
      inside === undefined
        ? { host, port: taken, tls: false }
        : { host: "127.0.0.1", port: inside, tls: false },
    ),
    close: async () => {
      await Promise.all(open.map((listening) => listening.close(GRACE_MS)));
    },
  };
}

/** The built pages: dist/client, whether this file is the source or its build in dist/node/server/cli/. */
export function clientDirectory(): string {
  const built = import.meta.url.endsWith(".js");
  return fileURLToPath(new URL(built ? "../../../client" : "../../dist/client", import.meta.url));
}

export const abortOf = (signal: AbortSignal): Promise<undefined> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener("abort", () => resolve(undefined));
  });
