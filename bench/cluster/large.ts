import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, normalize } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { httpApi } from "../../client/transport/http.ts";
import { mirroredApi } from "../../client/transport/mirror.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { TicketId } from "../../protocol/ids.ts";
import { packFrame } from "../../protocol/packed-frame.ts";
import type { Ticket } from "../../protocol/ticket.ts";
import { HttpVolunteer } from "../../test/harness/http-volunteer.ts";
import type { Seat } from "../../test/harness/seat.ts";
import { mainThreadMs, processorMs } from "../lib/processor.ts";
import { FrameMill } from "../load/frames.ts";

/** About 10M parameters, as in the bench `load`; what trust makes of deltas is not measured. */
export const LARGE_RUN = {
  model: { layers: 8, heads: 8, width: 320, context: 128 },
  tokenBudget: Number.MAX_SAFE_INTEGER,
  warmupTokens: 0,
  leaseSeconds: 120,
  rounds: { seconds: 5 },
  crowd: 64,
  evaluateWindows: 1,
  trust: { rules: "mean", auditShare: 0 },
};
const VOLUNTEERS = 8;
/** Milliseconds before a volunteer asks again, as if it had trained, and before who was refused tries again. */
const TRAINING_MS = 1_000;
const AGAIN_MS = 500;
/** Visitors who keep a copy of the model. */
const FOLLOWERS = 4;

export interface LargeFigures {
  /** All of the edge's process; of the one that leads, the thread that takes deltas, and its other threads, which merge. */
  readonly edgeCpuMs: number;
  readonly coordinatorCpuMs: number;
  readonly mergingCpuMs: number;
  /** Of the bytes that volunteers and followers got, the part that came from a server of the run. */
  readonly originShare: number;
  readonly receipts: readonly TicketId[];
}

/** A web server of a directory, as an operator has in front of a mirror. */
export async function serveDirectory(directory: string) {
  const server = createServer(async (request, response) => {
    const path = normalize(join(directory, new URL(request.url ?? "/", "http://mirror").pathname));
    const bytes = path.startsWith(directory) ? await readFile(path).catch(() => undefined) : undefined;
    response.writeHead(bytes === undefined ? 404 : 200, bytes && { "content-length": bytes.length });
    response.end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

/**
 * Sends sparse deltas of 10M parameters, packed as volunteers do, through an edge while others follow the model: processor time
 * a receipt of the edge and of the server that leads, and where the bytes came from.
 */
export async function measureLarge(leader: Seat, edge: Seat, versions: number): Promise<LargeFigures> {
  const got = { server: 0, mirror: 0 };
  const origin = edge.origin ?? "";
  const counted: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    const bytes = new Uint8Array(await response.arrayBuffer());
    got.server += bytes.length;
    return new Response(response.status === 204 || response.status === 304 ? null : bytes, response);
  };
  const api = () =>
    mirroredApi(httpApi({ server: origin, fetch: counted }), {
      clock: () => performance.now(),
      traffic: (bytes) => {
        got.mirror += bytes;
      },
    });
  const first = await api().manifest();
  if (first.delta.name !== "topk") throw new Error("the run does not ask for sparse deltas");
  const mill = new FrameMill(first.delta, first.parameters);
  const packed = (frame: Uint8Array<ArrayBuffer>, { delta = first.delta }: Ticket) =>
    packFrame(frame, first.parameters, delta);
  const ending = new AbortController();
  const receipts: TicketId[] = [];
  const volunteers = Array.from({ length: VOLUNTEERS }, async () => {
    const volunteer = await HttpVolunteer.create((path, init) => counted(origin + path, init));
    while (!ending.signal.aborted) {
      try {
        const ticket = await volunteer.ticket();
        await sleep(TRAINING_MS);
        receipts.push((await volunteer.upload(ticket, packed(mill.frame(), ticket))).ticket);
      } catch (error) {
        if (!(error instanceof ProtocolError)) await sleep(AGAIN_MS);
        else await sleep(error.retryAfterMs ?? AGAIN_MS);
      }
    }
  });
  const from = await spentBy(edge, leader);
  await Promise.all(Array.from({ length: FOLLOWERS }, () => follow(api(), versions)));
  const to = await spentBy(edge, leader);
  const sent = receipts.length;
  ending.abort();
  await Promise.all(volunteers);
  const each = (of: keyof typeof from) => Number(((to[of] - from[of]) / sent).toFixed(2));
  const originShare = Number((got.server / (got.server + got.mirror)).toFixed(4));
  const costs = { edgeCpuMs: each("edge"), coordinatorCpuMs: each("leader"), mergingCpuMs: each("merging") };
  return { ...costs, originShare, receipts };
}

async function spentBy(edge: Seat, { pid }: Seat) {
  const [process, leader] = [await processorMs(pid), await mainThreadMs(pid)];
  return { edge: await processorMs(edge.pid), leader, merging: process - leader };
}

/** Downloads a version whole, and then the way from each to the next. */
async function follow(api: ReturnType<typeof mirroredApi>, versions: number): Promise<void> {
  const { version: first, hash, parameters } = await api.manifest();
  await api.snapshot(hash, parameters);
  for (let version = first; version < first + versions; ) {
    const { version: newest } = await api.manifest();
    for (; version < newest; version++) await api.diff(version, parameters);
    await sleep(AGAIN_MS);
  }
}
