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
import { INBOX_THREAD } from "../../server/store/inbox-thread.ts";
import { HttpVolunteer } from "../../test/harness/http-volunteer.ts";
import type { Seat } from "../../test/harness/seat.ts";
import { mainThreadMs, processorMs, threadMs } from "../lib/processor.ts";
import { FrameMill } from "../load/frames.ts";

/**
 * About 10M parameters, as in the bench `load`; what trust makes of deltas is not measured. A version closes when all that was
 * made for it is there: so it has about a delta of each volunteer.
 */
export const LARGE_RUN = {
  model: { layers: 8, heads: 8, width: 320, context: 128 },
  tokenBudget: Number.MAX_SAFE_INTEGER,
  warmupTokens: 0,
  leaseSeconds: 120,
  rounds: { seconds: 5 },
  evaluateWindows: 1,
  trust: { rules: "mean", auditShare: 0 },
};
/** Volunteers at work in one stretch of versions and in the other: what differs between these is what deltas cost. */
const [FEW, MANY] = [4, 64];
/** Milliseconds before a volunteer sends, as if it had trained, and before who was refused tries again. */
const TRAINING_MS = 1_000;
const AGAIN_MS = 500;
/** Milliseconds between two looks for a new version. */
const LOOK_MS = 250;
/** Milliseconds without deltas in which is measured what servers take while nothing happens. */
const IDLE_MS = 5_000;
/** Milliseconds without a new version after which none is being made: a round, and what a busy machine takes to merge. */
const SETTLE_MS = 12_000;
/** Visitors who keep a copy of the model. */
const FOLLOWERS = 4;

/** Milliseconds of processor time. */
interface Costs {
  /** All of the edge's process. */
  readonly edge: number;
  /** Of the process that leads, the thread that takes deltas. */
  readonly coordinator: number;
  /** The one that reads them. */
  readonly reading: number;
  /** Its other threads, which merge, and of V8, which compile and look for garbage beside it. */
  readonly merging: number;
}

/** What happened between two moments. */
interface Stretch {
  readonly spent: Costs;
  readonly receipts: number;
  readonly versions: number;
  readonly seconds: number;
}

export interface LargeFigures {
  /** For a delta, with its ticket. */
  readonly edgeCpuMs: number;
  readonly coordinatorCpuMs: number;
  readonly readingCpuMs: number;
  readonly mergingCpuMs: number;
  /** For a version, however many deltas it has; and for a second in which nothing happens. */
  readonly versionCpuMs: Costs;
  readonly idleCpuMs: Costs;
  /** Deltas of a version in one stretch and in the other, and altogether what each took of the edge and of the leading thread. */
  readonly stretches: readonly {
    readonly deltas: number;
    readonly edge: number;
    readonly coordinator: number;
  }[];
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
 * of the edge and of the server that leads, and where the bytes came from. `versions` are measured with many deltas, and as
 * many with few.
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
  const receipts: TicketId[] = [];
  const work = async (over: AbortSignal) => {
    const volunteer = await HttpVolunteer.create((path, init) => counted(origin + path, init));
    while (!over.aborted) {
      try {
        const ticket = await volunteer.ticket();
        await sleep(TRAINING_MS);
        receipts.push((await volunteer.upload(ticket, packed(mill.frame(), ticket))).ticket);
      } catch (error) {
        const hint = error instanceof ProtocolError ? error.retryAfterMs : undefined;
        await sleep(hint ?? AGAIN_MS);
      }
    }
  };
  const ending = new AbortController();
  let newest = first.version;
  const followers = Array.from({ length: FOLLOWERS }, async () => {
    for await (const version of follow(api(), ending.signal)) newest = Math.max(newest, version);
  });
  const following = Promise.all(followers);
  following.catch(() => ending.abort()); // nobody would say any more which version is the newest
  const moment = async () => ({
    ...{ spent: await spentBy(edge, leader), receipts: receipts.length, version: newest },
    at: performance.now(),
  });
  const between = (from: Awaited<ReturnType<typeof moment>>, to: typeof from): Stretch => ({
    spent: mapped((of) => to.spent[of] - from.spent[of]),
    receipts: to.receipts - from.receipts,
    versions: to.version - from.version,
    seconds: (to.at - from.at) / 1_000,
  });
  /** Measures from the end of a version to the end of one; the first warms up. */
  const stretch = async (volunteers: number) => {
    const over = new AbortController();
    const working = Array.from({ length: volunteers }, () => work(over.signal));
    const reached = async (version: number) => {
      while (newest < version && !ending.signal.aborted) await sleep(LOOK_MS);
      return moment();
    };
    const from = await reached(newest + 1);
    const to = await reached(from.version + versions);
    over.abort();
    await Promise.all(working);
    return between(from, to);
  };
  const many = await stretch(MANY);
  const few = await stretch(FEW);
  for (let seen = -1; seen < newest; await sleep(SETTLE_MS)) seen = newest;
  const quiet = await moment();
  await sleep(IDLE_MS);
  const idle = between(quiet, await moment());
  ending.abort();
  await following;
  const { delta, version, second } = costsOf(many, few, idle);
  return {
    ...{ edgeCpuMs: delta.edge, coordinatorCpuMs: delta.coordinator },
    ...{ readingCpuMs: delta.reading, mergingCpuMs: delta.merging },
    ...{ versionCpuMs: version, idleCpuMs: second },
    stretches: [many, few].map(({ spent, receipts, versions }) => ({
      deltas: rounded(receipts / versions),
      edge: rounded(spent.edge / receipts),
      coordinator: rounded(spent.coordinator / receipts),
    })),
    originShare: Number((got.server / (got.server + got.mirror)).toFixed(4)),
    receipts,
  };
}

const rounded = (ms: number) => Number(ms.toFixed(2));
const mapped = (cost: (of: keyof Costs) => number): Costs => ({
  edge: cost("edge"),
  coordinator: cost("coordinator"),
  reading: cost("reading"),
  merging: cost("merging"),
});

/**
 * What a delta, a version and a second cost. The second is measured; the others are the two unknowns of two equations: what
 * each stretch took is its deltas' costs and its versions', beside its seconds'.
 */
function costsOf(many: Stretch, few: Stretch, idle: Stretch) {
  const second = mapped((of) => idle.spent[of] / idle.seconds);
  const beside = ({ spent, seconds }: Stretch, of: keyof Costs) => spent[of] - second[of] * seconds;
  const determinant = many.receipts * few.versions - few.receipts * many.versions;
  const delta = mapped(
    (of) => (beside(many, of) * few.versions - beside(few, of) * many.versions) / determinant,
  );
  const version = mapped((of) => (beside(few, of) - delta[of] * few.receipts) / few.versions);
  const shown = (costs: Costs) => mapped((of) => rounded(costs[of]));
  return { delta: shown(delta), version: shown(version), second: shown(second) };
}

async function spentBy(edge: Seat, { pid }: Seat): Promise<Costs> {
  const [all, coordinator] = [await processorMs(pid), await mainThreadMs(pid)];
  const reading = await threadMs(pid, INBOX_THREAD);
  return { edge: await processorMs(edge.pid), coordinator, reading, merging: all - coordinator - reading };
}

/** Downloads a version whole, and then the way from each to the next; yields each that it has. */
async function* follow(api: ReturnType<typeof mirroredApi>, over: AbortSignal): AsyncGenerator<number> {
  const { version: first, hash, parameters } = await api.manifest();
  await api.snapshot(hash, parameters);
  for (let version = first; !over.aborted; await sleep(LOOK_MS)) {
    const { version: newest } = await api.manifest();
    for (; version < newest; yield ++version) await api.diff(version, parameters);
  }
}
