import { Agent, type IncomingHttpHeaders, request } from "node:http";
import { connect, type Socket } from "node:net";
import { afterEach, beforeEach } from "vitest";
import type { Waits } from "../../server/net/limits.ts";
import { type Listening, type ListenOptions, listen } from "../../server/net/listen.ts";
import { edge } from "../edge.ts";
import { FakeService } from "../fake-service.ts";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A fake run's routes on a real port, and sockets to it that end with the test. */
export interface Net {
  readonly service: FakeService;
  readonly server: Listening;
  /** Serves the same again, in another way. */
  restart(where: Partial<ListenOptions>, waits?: Waits, connections?: number): Promise<void>;
  ask(path: string, method?: string): Promise<Answer>;
  /** Opens a socket whose errors are nobody's; a reset is a way of hanging up. */
  open(port?: number): Socket;
  /** Writes raw bytes, and collects what comes back until the server hangs up. */
  raw(text: string): { readonly socket: Socket; readonly closed: Promise<string> };
}

const HERE = { host: "127.0.0.1", port: 0 };

/** Gives each test of a file a server of its own. */
export function listening(): Net {
  let service: FakeService;
  let server: Listening;
  let agent: Agent;
  let sockets: Socket[];
  beforeEach(async () => {
    service = new FakeService();
    server = await listen(edge(service), HERE);
    agent = new Agent({ keepAlive: true, maxSockets: 4 });
    sockets = [];
  });
  afterEach(async () => {
    agent.destroy();
    for (const socket of sockets) socket.destroy();
    await server.close(100);
  });

  const open = (port = server.port): Socket => {
    const socket = connect(port, HERE.host).on("error", () => {});
    sockets.push(socket);
    return socket;
  };
  return {
    get service() {
      return service;
    },
    get server() {
      return server;
    },
    async restart(where, waits, connections) {
      await server.close(0);
      server = await listen(edge(service), { ...HERE, ...where }, waits, connections);
    },
    ask: (path, method = "GET") =>
      new Promise((resolve, reject) => {
        const asking = request({ ...HERE, port: server.port, path, method, agent }, (response) => {
          let body = "";
          response.setEncoding("utf8").on("data", (chunk: string) => {
            body += chunk;
          });
          response.on("end", () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
          );
        });
        asking.on("error", reject).end();
      }),
    open,
    raw(text) {
      const socket = open();
      let answer = "";
      socket.setEncoding("utf8").on("data", (chunk) => {
        answer += chunk;
      });
      socket.write(text);
      return { socket, closed: new Promise((resolve) => socket.on("close", () => resolve(answer))) };
    },
  };
}
