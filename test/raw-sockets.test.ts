import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ProtocolError } from "../protocol/errors.ts";
import type { AppOptions } from "../server/http/app.ts";
import type { CompletionsPort } from "../server/http/completions.ts";
import { type ListenOptions, listen } from "../server/net/listen.ts";
import { Signalling } from "../server/peers/signalling.ts";
import type { SetupPort } from "../server/setup/ports.ts";
import { edge } from "./edge.ts";
import { FakeService, HASH } from "./fake-service.ts";
import { cutsOf, ENDINGS, formsOf, inParallel, play, type Target } from "./harness/raw-sockets.ts";
import { CERTIFICATE, PRIVATE_KEY } from "./tls-fixture.ts";

/** Deadlines of the server, ms: short, so that silence costs a test little. */
const WAITS = {
  headersMs: 300,
  requestMs: 400,
  checkMs: 20,
  idleMs: 500,
  keepAliveMs: 200,
  readMs: 500,
  readRate: 1_000,
};
const SILENCE_MS = 300;
/** Far beyond the sum of all of them, for a machine that is busy with other work. */
const PATIENCE_MS = 25_000;
/** Strangers at once. */
const CROWD = 100;
const MIB = 1024 * 1024;

const log = pino({ level: "silent" });
const unhandled: unknown[] = [];
const note = (error: unknown) => void unhandled.push(error);
beforeEach(() => {
  unhandled.length = 0;
  process.on("uncaughtException", note).on("unhandledRejection", note);
});
afterEach(() => {
  process.off("uncaughtException", note).off("unhandledRejection", note);
});

const refuses = () => Promise.reject(new ProtocolError("not-ready", "not here"));
const SETUP: SetupPort = {
  redeem: async () => undefined,
  state: refuses,
  begin: refuses,
  append: refuses,
  finish: refuses,
  discard: refuses,
  estimate() {
    throw new ProtocolError("not-ready", "not here");
  },
  createRun: refuses,
};

interface Kind {
  readonly nth?: number;
  readonly run?: boolean;
  readonly peers?: boolean;
  readonly edge?: Partial<AppOptions>;
  readonly listen?: Partial<ListenOptions>;
}

const LISTENERS: Readonly<Record<string, Kind>> = {
  "a run": { run: true, nth: 7 },
  "a run whose browsers share": { run: true, peers: true },
  "a run behind a proxy": { nth: 7, run: true, peers: true, edge: { proxies: 1 } },
  "a run by HTTPS": {
    nth: 5,
    run: true,
    peers: true,
    listen: { tls: { cert: CERTIFICATE, key: PRIVATE_KEY } },
  },
  "no run": { nth: 7 },
  "a run to be made": { nth: 7, edge: { setup: SETUP } },
};

class LargeService extends FakeService {
  override latestSnapshot = () => ({ hash: HASH, bytes: new Uint8Array(MIB) });
}

const ID = "a".repeat(22);

/** Writes a text word by word, until nobody reads it any more. */
const WRITES: CompletionsPort = {
  on: true,
  async write(_, part, left) {
    let tokens = 0;
    for (; tokens < 20 && !left.aborted; tokens++) {
      part("word ");
      await new Promise(setImmediate);
    }
    return { promptTokens: 1, tokens, ended: "length", version: 0 };
  },
};

async function openListener(kind: Kind) {
  const service = new LargeService();
  const introductions = { knows: (id: string, token: string) => token === id, haveMet: () => true };
  const options = { introductions, proxies: 0, now: () => performance.now(), log };
  const signalling = kind.peers ? new Signalling(options, SILENCE_MS) : undefined;
  const closing = new AbortController();
  const routes = {
    completions: WRITES,
    speeds: { taken: true, add() {}, table: () => ({ taken: true, rows: [] }) },
  };
  const app = edge(kind.run ? service : undefined, { closing: closing.signal, ...routes, ...kind.edge });
  const where = {
    host: "127.0.0.1",
    port: 0,
    log,
    ...kind.listen,
    ...(signalling && { upgrades: signalling }),
  };
  const listening = await listen(app, where, WAITS);
  return {
    target: { port: listening.port, tls: kind.listen?.tls !== undefined } satisfies Target,
    service,
    signalling,
    async close() {
      closing.abort();
      await listening.close(1_000_000); // resolves when the last connection is gone, and forces none
      signalling?.close();
    },
  };
}

/**
 * Every form, cut at every boundary and ended in every way, as tasks in an order that mixes them; or every `nth` of
 * them, where the boundaries were all tried on another listener of the same kind of socket.
 */
function allOf(target: Target, nth: number): (() => Promise<unknown>)[] {
  const forms = formsOf(`id=${ID}&token=${ID}`);
  const tasks = forms.flatMap((form) =>
    cutsOf(form).flatMap((cut) =>
      ENDINGS.map((ending) => () => play(target, form, cut, ending, PATIENCE_MS)),
    ),
  );
  // A prime step goes through all of them, and never through two neighbours in a row.
  const mixed = tasks.map((_, i) => tasks[(i * 7_919) % tasks.length]!);
  return mixed.slice(0, Math.ceil(mixed.length / nth));
}

const HEALTHY = {
  name: "health",
  bytes: Buffer.from("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
};

/** Asks for its health again and again until `done`, and counts. */
async function askMeanwhile(target: Target, done: Promise<unknown>): Promise<number> {
  let over = false;
  const end = () => {
    over = true;
  };
  done.then(end, end);
  let answers = 0;
  for (; !over; answers++) {
    const came = await play(target, HEALTHY, HEALTHY.bytes.length, "silence", PATIENCE_MS);
    expect(came).toBeGreaterThan(100);
  }
  return answers;
}

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");
const heldBytes = () => {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

describe("A4, A26: strangers on bare sockets", () => {
  it.each(Object.entries(LISTENERS))(
    "end nothing, hold nothing and stop nobody on a server of %s",
    async (_, kind) => {
      const before = heldBytes();
      const { target, service, signalling, close } = await openListener(kind);
      const sweeping = inParallel(allOf(target, kind.nth ?? 1), CROWD);
      const answers = await askMeanwhile(target, sweeping);
      await sweeping;
      expect(answers).toBeGreaterThan(0);
      expect(unhandled).toEqual([]);
      await close();
      expect(service.listeners.size).toBeLessThanOrEqual(1); // the app's own is taken off when it closes
      expect(signalling?.size ?? 0).toBe(0);
      expect(heldBytes() - before).toBeLessThan(16 * MIB);
    },
    240_000,
  );
});

describe("controls", () => {
  const child = (script: string) => {
    const running = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "ignore"] });
    return { exited: once(running, "exit"), lines: createInterface({ input: running.stdout }) };
  };

  it("a reset ends a process that answers an upgrade on a socket without an error listener", async () => {
    const { exited, lines } = child(`
      const server = require("http").createServer();
      server.on("upgrade", (request, socket) => socket.end("HTTP/1.1 404 Not Found\\r\\n\\r\\n"));
      server.listen(0, "127.0.0.1", () => console.log(server.address().port));
    `);
    const [port] = await once(lines, "line");
    let ended = false;
    const code = exited.then(([code]) => {
      ended = true;
      return code;
    });
    while (!ended) {
      const socket = connect(Number(port), "127.0.0.1").on("error", () => {});
      const closed = once(socket, "close").catch(() => {});
      socket.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", () =>
        socket.resetAndDestroy(),
      );
      await closed;
    }
    expect(await code).toBe(1);
  });
});
