import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, it, vi } from "vitest";
import { ROUTES, WRITING_ROUTES } from "../../protocol/routes.ts";
import { edge } from "../../test/edge.ts";
import { FakeService, HASH } from "../../test/fake-service.ts";
import { listening } from "../../test/harness/listening.ts";
import type { CompletionsPort } from "../http/completions.ts";
import { NETWORK_SHARE } from "./limits.ts";
import { listen } from "./listen.ts";

/**
 * When the server hangs up: on senders and readers that are slow or silent, and on too many of one network. And what it leaves off
 * when they do.
 */
const net = listening();
const { ask, raw } = net;

describe("A4: time", () => {
  const late = {
    ...{ headersMs: 200, requestMs: 400, checkMs: 20, idleMs: 600, keepAliveMs: 5_000 },
    ...{ readMs: 400, readRate: 1 },
  };
  const whole = "GET /api/run HTTP/1.1\r\nHost: x\r\n\r\n";

  it.each([
    ["silence", ""],
    ["half a header", whole.slice(0, -2)],
    ["half a body", "POST /api/deltas HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\nX"],
  ])("hangs up on %s", async (_, text) => {
    await net.restart({}, late);
    const { socket, closed } = raw(text);
    // A drip does not buy more time than the request has.
    const drip = setInterval(() => socket.write(text === "" ? "" : "X"), 50);
    await closed;
    clearInterval(drip);
  });

  it("hangs up on who never reads", async () => {
    net.service.latestSnapshot = () => ({ hash: HASH, bytes: new Uint8Array(64 * 1024 * 1024) });
    await net.restart({}, late);
    const socket = net.open();
    socket.pause();
    const gone = new Promise((resolve) => socket.on("close", resolve));
    socket.write(whole.replace("/api/run", ROUTES.latestSnapshot));
    await vi.waitFor(() => expect(socket.bytesWritten).toBeGreaterThan(0));
    await net.server.close(1_000_000); // resolves once the last connection is gone: only the wait brings that about
    socket.resume();
    await gone;
  });

  /** How much of an object comes to a reader that takes a piece of it now and then; ends with a hang-up, or at `most`. */
  async function drip(readMs: number, most: number): Promise<number> {
    net.service.latestSnapshot = () => ({ hash: HASH, bytes: new Uint8Array(64 * 1024 * 1024) });
    // A pause of 60 s is none of a drip's: only its rate tells it apart.
    const waits = { ...late, idleMs: 60_000, readMs, readRate: 1e12 };
    await net.restart({}, waits);
    const socket = net.open();
    const gone = new Promise((resolve) => socket.on("close", resolve));
    let taken = 0;
    let timer: NodeJS.Timeout | undefined;
    socket.on("data", (piece) => {
      taken += piece.length;
      if (taken >= most) socket.destroy();
      socket.pause();
      timer = setTimeout(() => socket.resume(), 5);
    });
    socket.write(whole.replace("/api/run", ROUTES.latestSnapshot));
    await gone;
    clearTimeout(timer);
    return taken;
  }

  it("A5: hangs up on a reader that drips, and not where it may take its time, the control", async () => {
    const most = 32 * 1024 * 1024;
    expect(await drip(400, most)).toBeLessThan(most);
    expect(await drip(60_000, most)).toBeGreaterThanOrEqual(most);
  });

  it("A5: hangs up on hundreds of requests in one packet, and answers a few in order, the control", async () => {
    const few = raw(whole.repeat(3) + whole.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
    expect((await few.closed).match(/HTTP\/1\.1 200 /g)).toHaveLength(4);
    let made = 0;
    net.service.status = () => {
      made++;
      throw new Error("the run was asked");
    };
    await raw(whole.repeat(500)).closed;
    expect(made).toBeLessThanOrEqual(17);
  });

  it("hangs up on nobody before its time, the control", async () => {
    const patient = await listen(edge(net.service), { host: "127.0.0.1", port: 0 });
    const slow = net.open(patient.port);
    slow.write(whole.slice(0, -2));
    await net.restart({}, late);
    await raw(whole.slice(0, -2)).closed; // it would have been by now
    const answer = new Promise<string>((resolve) => slow.setEncoding("utf8").once("data", resolve));
    slow.write("\r\n");
    expect(await answer).toMatch(/^HTTP\/1\.1 200 /);
    await patient.close(0);
  });

  it.each([
    ["keeps no more than a quarter of all connections for one network", true],
    ["lets one sender take them all where that is not told apart, the control", false],
  ])("%s", async (_, apart) => {
    const attackers = 12;
    let came = 0;
    const networkOf = () => (++came <= attackers ? "one" : "another");
    const waits = { ...late, headersMs: 60_000, requestMs: 60_000, idleMs: 60_000 };
    await net.restart(apart ? { networkOf } : {}, waits, attackers);
    const held = Array.from({ length: attackers }, () => raw(""));
    if (apart) {
      const gone = () => held.filter(({ socket }) => socket.destroyed).length;
      await vi.waitFor(() => expect(gone()).toBe(attackers * (1 - NETWORK_SHARE)), 5_000);
      expect((await ask(ROUTES.run)).status).toBe(200);
    } else {
      await Promise.all(held.map(({ socket }) => socket.connecting && once(socket, "connect")));
      await expect(ask(ROUTES.run)).rejects.toThrow();
    }
  });

  it("answers others while five hundred sockets send nothing", async () => {
    for (let i = 0; i < 500; i++) raw("POST /api/deltas HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\nX");
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(ROUTES.run)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
  });
});

it.each([
  ["as a whole", false],
  ["in a stream, after its first word", true],
])(
  "A36: a stranger that hangs up ends what it asked for %s; one that stays, the control, does not",
  async (_, stream) => {
    const asked: AbortSignal[] = [];
    const never: CompletionsPort["write"] = (_order, part, left) => {
      asked.push(left);
      if (stream) part("The");
      return new Promise(() => {});
    };
    const at = edge(new FakeService(), { completions: { on: true, write: never } });
    const server = await listen(at, { host: "127.0.0.1", port: 0 });
    const body = JSON.stringify({ model: "any", prompt: "The ", stream });
    const head = `POST ${WRITING_ROUTES.completions} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n`;
    const open = async () => {
      const before = asked.length;
      const socket = connect(server.port, "127.0.0.1")
        .on("error", () => {})
        .resume();
      socket.write(`${head}Content-Length: ${body.length}\r\n\r\n${body}`);
      await vi.waitFor(() => expect(asked.length).toBe(before + 1));
      return { socket, left: asked.at(-1) };
    };
    const stays = await open();
    for (const leave of ["resetAndDestroy", "destroy", "end"] as const) {
      const { socket, left } = await open();
      socket[leave]();
      await vi.waitFor(() => expect(left?.aborted, leave).toBe(true), 10_000);
    }
    expect(stays.left?.aborted).toBe(false);
    stays.socket.destroy();
    await server.close(0);
  },
);
