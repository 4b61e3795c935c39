import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { WebSocket } from "ws";
import { SIGNALLING_PATH } from "../../protocol/routes.ts";
import { edge } from "../../test/edge.ts";
import { FakeService } from "../../test/fake-service.ts";
import { type Listening, listen } from "../net/listen.ts";
import { Signalling } from "./signalling.ts";

const [A, B, C] = ["a", "b", "c"].map((letter) => letter.repeat(22)) as [string, string, string];
const LOG = { info() {}, warn() {}, error() {} };
const CANDIDATE = {
  candidate: { candidate: "candidate:1 1 udp 1 127.0.0.1 5000 typ host", sdpMid: "0", sdpMLineIndex: 0 },
  type: "data",
  connectionId: "dc_abc",
};

let server: Listening;
let signalling: Signalling;
let now = 0;
const open: WebSocket[] = [];
beforeEach(async () => {
  now = 0;
  const introductions = {
    knows: (id: string, token: string) => token === id,
    haveMet: (a: string, b: string) => a !== C && b !== C,
  };
  signalling = new Signalling({ introductions, proxies: 0, now: () => now, log: LOG });
  server = await listen(edge(new FakeService()), { host: "127.0.0.1", port: 0, upgrades: signalling });
});
afterEach(async () => {
  for (const socket of open.splice(0)) socket.terminate();
  signalling.close();
  await server.close(0);
});

const urlOf = (id: string, token = id, path: string = SIGNALLING_PATH) =>
  `ws://127.0.0.1:${server.port}${path}?key=peerjs&id=${id}&token=${token}`;

/** A socket whose messages wait to be read. */
async function join(id: string) {
  const socket = new WebSocket(urlOf(id));
  open.push(socket);
  const came: string[] = [];
  const waiting: ((text: string) => void)[] = [];
  socket.on("message", (data) => {
    const next = waiting.shift();
    if (next) next(String(data));
    else came.push(String(data));
  });
  const next = () => {
    const first = came.shift();
    return first === undefined
      ? new Promise<string>((resolve) => waiting.push(resolve))
      : Promise.resolve(first);
  };
  expect(JSON.parse(await next())).toEqual({ type: "OPEN" });
  return { socket, came, next, send: (value: unknown) => socket.send(JSON.stringify(value)) };
}

async function refusal(url: string, options = {}): Promise<number | undefined> {
  const socket = new WebSocket(url, options);
  open.push(socket);
  socket.on("error", () => {});
  const [, response] = await once(socket, "unexpected-response");
  return response.statusCode;
}

describe("K6: signalling", () => {
  it("passes between two who were introduced, with the sender's own name", async () => {
    const [a, b] = [await join(A), await join(B)];
    a.send({ type: "CANDIDATE", dst: B, src: C, payload: CANDIDATE });
    expect(JSON.parse(await b.next())).toEqual({ type: "CANDIDATE", src: A, dst: B, payload: CANDIDATE });
  });

  it("does not pass to who was not introduced, nor wait for who is not there", async () => {
    const [a, c] = [await join(A), await join(C)];
    a.send({ type: "CANDIDATE", dst: C, payload: CANDIDATE });
    a.send({ type: "CANDIDATE", dst: B, payload: CANDIDATE });
    const b = await join(B);
    a.send({ type: "LEAVE", dst: B });
    expect(JSON.parse(await b.next())).toEqual({ type: "LEAVE", src: A, dst: B }); // the control, and the first
    expect([b.came, c.came]).toEqual([[], []]);
  });

  it.each([
    ["another kind of message", { type: "CHAT", dst: B, payload: "hello" }],
    ["text instead of a description", { type: "OFFER", dst: B, payload: { sdp: "hello" } }],
    ["more than a description needs", { type: "OFFER", dst: B, payload: { sdp: "x".repeat(10_000) } }],
  ])("ends with %s, and nothing of it arrives", async (_, message) => {
    const [a, b] = [await join(A), await join(B)];
    a.send(message);
    await once(a.socket, "close");
    expect(b.came).toEqual([]);
  });

  it("A5: ends with 1009 for a message too long, whatever is in it; one of the usual length, the control, arrives", async () => {
    const [a, b] = [await join(A), await join(B)];
    a.send({ type: "CANDIDATE", dst: B, payload: CANDIDATE });
    await b.next();
    a.socket.send("x".repeat(1024 * 1024));
    const [code] = await once(a.socket, "close");
    expect(code).toBe(1009);
    expect(b.came).toEqual([]);
  });

  it("A5: ends for who sends without pause", async () => {
    const [a, b] = [await join(A), await join(B)];
    for (let i = 0; i < 300; i++) a.send({ type: "CANDIDATE", dst: B, payload: CANDIDATE });
    await once(a.socket, "close");
    expect(b.came.length).toBeLessThanOrEqual(200);
  });

  const OFFER = {
    sdp: {
      type: "offer",
      sdp: `v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=${"x".repeat(4_000)}\r\n`,
    },
    type: "data",
    connectionId: "dc_abc",
  };
  const D = "d".repeat(22);

  it.each([
    ["drops a browser that goes on talking and reads nothing", true],
    ["keeps one that reads, the control", false],
  ])("A5: %s", async (_, deaf) => {
    const [a, b, d] = [await join(A), await join(B), await join(D)];
    if (deaf) b.socket.pause();
    // 16 MB: more than what the system's own buffers take.
    for (let burst = 0; burst < 40; burst++) {
      for (let i = 0; i < 98; i++) a.send({ type: "OFFER", dst: B, payload: OFFER });
      for (const one of [b, d]) one.send({ type: "HEARTBEAT" });
      a.send({ type: "LEAVE", dst: D });
      await d.next(); // all before it has come
      now += 20_000; // the next hundred may be sent, and nobody has been silent for too long
    }
    await vi.waitFor(() => expect(signalling.size).toBe(deaf ? 2 : 3));
  });

  it("is for who was announced, under its own path, from our own pages", async () => {
    await join(A); // the control
    expect(await refusal(urlOf(A, B))).toBe(403);
    expect(await refusal(urlOf(A, A, "/api/peers/other"))).toBe(404);
    expect(await refusal(urlOf(A), { origin: "https://elsewhere.example" })).toBe(403);
    expect((await fetch(`http://127.0.0.1:${server.port}/peerjs/peers`)).status).toBe(404); // no discovery
  });

  it.each(["//", "http://[", "*", "/api/peers/peerjs?id=%ff&token=%"])(
    "A26: refuses the target %s, and goes on for others",
    async (target) => {
      const socket = connect(server.port, "127.0.0.1").on("error", () => {});
      const key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==";
      socket.write(
        `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}\r\n\r\n`,
      );
      const [answer] = await once(socket.setEncoding("latin1"), "data");
      expect(answer).toMatch(/^HTTP\/1\.1 40[034] /);
      socket.resetAndDestroy();
      await join(A);
    },
  );

  it("A26: such a target is what the constructor of URL throws at, the control", () => {
    for (const target of ["//", "http://["]) expect(() => new URL(target, "http://here")).toThrow();
  });

  it("takes so many sockets from one address and no more", async () => {
    for (let n = 0; n < 60; n++) await join(`n${n}`.padEnd(22, "_"));
    expect(await refusal(urlOf(A))).toBe(429);
    now += 4_000;
    for (let n = 60; n < 64; n++) await join(`n${n}`.padEnd(22, "_"));
    now += 60_000;
    expect(await refusal(urlOf(A))).toBe(429);
  });

  it("lets a browser come back before its old socket is known to be dead", async () => {
    const first = await join(A);
    const closed = once(first.socket, "close");
    const [again, b] = [await join(A), await join(B)];
    await closed;
    b.send({ type: "LEAVE", dst: A });
    expect(JSON.parse(await again.next())).toMatchObject({ type: "LEAVE", src: B });
    expect(signalling.size).toBe(2);
  });
});
