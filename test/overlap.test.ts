import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { memoryCache } from "../client/cache/cache.ts";
import { openIdentity } from "../client/cache/entries.ts";
import type { Api } from "../client/transport/api.ts";
import { Control } from "../client/worker/control.ts";
import { volunteer } from "../client/worker/loop.ts";
import type { Report } from "../client/worker/messages.ts";
import { Throughput } from "../client/worker/throughput.ts";
import { DENSE4 } from "../protocol/codec/codec.ts";
import { codecOf, frameBytes, frameOf } from "../protocol/frame.ts";
import { stepsFor } from "../server/coordinator/ticket-steps.ts";
import { ToyServer } from "./harness/toy-run.ts";
import { TARGET, ToyTrainer, toyFile } from "./harness/toy-trainer.ts";
import { Line, VirtualTime } from "./harness/virtual-time.ts";
import { always } from "./harness/visit.ts";

/** A request's way there, or an answer's way back. */
const LATENCY_MS = 20;
const LINE = 5e6; // bits a second, each way
/** The toy's step: two sequences of four tokens. */
const TOKENS = 8;

interface Scene {
  /** Of the pretended model, whose deltas and diffs have four bits a value. */
  readonly parameters: number;
  /** What a laptop's step of it takes. */
  readonly stepMs: number;
  /** How often the others bring about a version beside those that this volunteer's delta completes. */
  readonly versionMs?: number;
  readonly fresh?: boolean;
}

/** Fifty tickets, as long as the server makes them, of one volunteer at the end of a line. */
async function present({ parameters, stepMs, versionMs, fresh = false }: Scene) {
  const time = new VirtualTime(onTestFinished);
  const server = await ToyServer.open();
  const bytes = codecOf(DENSE4).payloadBytes(parameters);
  const [up, down] = [new Line(time, LINE), new Line(time, LINE)];
  const over = async <T>(there: number, answer: () => Promise<T>, back: number): Promise<T> => {
    if (there > 0) await up.carry(there);
    await time.sleep(LATENCY_MS);
    const result = await answer();
    if (back > 0) await down.carry(back);
    await time.sleep(LATENCY_MS);
    return result;
  };
  let at = -1;
  let body = 1;
  const tell = () => {
    const { version } = server;
    const { hash } = server.versions[version]!;
    server.announce({ type: "version", version, hash, diffBytes: bytes, deltas: 8, tokens: 1, ms: 1 });
  };
  const api: Api = {
    manifest: () => over(0, server.manifest, 500),
    tokenizer: server.tokenizer,
    // Two diffs of the toy outweigh its ten numbers: where it takes a snapshot, the pretended model takes diffs.
    snapshot: (hash) => {
      const behind = at < 0 ? Number.POSITIVE_INFINITY : server.version - at;
      at = server.version;
      return over(0, () => server.snapshot(hash), Math.min(4 * parameters, behind * bytes));
    },
    diff: (version) => {
      at = Math.max(at, version + 1);
      return over(0, () => server.diff(version), bytes);
    },
    shard: (hash) => over(0, () => server.shard(hash), 4_000),
    auditedDelta: server.auditedDelta,
    answerAudit: server.answerAudit,
    ticket: (identity, throughput) => {
      const { speed, uplink = 1, downlink = 1 } = throughput; // measured on the toy's own bytes
      const real = { uplink: (uplink * bytes) / body, downlink: (downlink * bytes) / frameBytes(DENSE4, 10) };
      const weight = { tokensPerStep: TOKENS, deltaBytes: bytes, diffBytes: bytes };
      const steps = stepsFor(weight, speed === undefined ? {} : { speed, ...real }, 1, false);
      server.terms = { steps, rates: Array.from({ length: steps }, () => 0.01), fresh, lease: 600_000 };
      return over(300, () => server.ticket(identity, throughput), 600);
    },
    upload: async (identity, id, upload) => {
      body = upload.length;
      const receipt = await over(bytes, () => server.upload(identity, id, upload), 400);
      tell();
      return receipt;
    },
    credit: () => over(0, server.credit, 100),
    events: server.events,
  };
  const trainer = new ToyTrainer();
  let trained = 0;
  trainer.onStep = async () => {
    await time.sleep(stepMs);
    trained += stepMs;
  };
  const cache = memoryCache();
  let sent = 0;
  let from = 0;
  const control = new Control(() => undefined, 1);
  const report = (one: Report) => {
    if (one.type !== "sent") return;
    sent++;
    // The first tickets measure the line and fetch the model; what is held to the mark is what follows.
    if (sent === 10) [from, trained] = [time.now, 0];
    if (sent === 50) control.stop();
  };
  const work = volunteer({
    api,
    control,
    report,
    clock: () => time.now,
    random: () => 0.5,
    sleep: time.sleep,
    open: async () => ({
      cache,
      identity: await openIdentity(cache),
      file: toyFile,
      trainers: always(trainer),
      loadTokenizer: () => Promise.reject(new Error("the toy has no text")),
    }),
  });
  let ended = false;
  const others = async () => {
    while (versionMs !== undefined && !ended) {
      await time.sleep(versionMs);
      await server.move(new Float32Array(TARGET.length).fill(0.001));
      tell();
    }
  };
  void others();
  await time.until(work);
  ended = true;
  return { server, goodput: trained / (time.now - from) };
}

afterEach(() => {
  vi.restoreAllMocks();
});

const small = { parameters: 120_000, stepMs: 10 };
const medium = { parameters: 900_000, stepMs: 90 };

describe.each([
  ["0.12M parameters, a version a ticket", small],
  ["0.12M parameters, versions in between", { ...small, versionMs: 1_500 }],
  ["0.9M parameters, a version a ticket", medium],
  ["0.9M parameters, versions in between", { ...medium, versionMs: 5_000 }],
])("%s, on a line of 5 Mbit/s", (_, scene) => {
  test("training goes on more than 85% of the time", async () => {
    const { goodput } = await present(scene);
    expect(goodput).toBeGreaterThan(0.85);
  });

  test("it would not, were sending and fetching waited for (control)", async () => {
    vi.spyOn(Throughput.prototype, "overlaps", "get").mockReturnValue(false);
    const { goodput } = await present(scene);
    expect(goodput).toBeLessThan(0.85);
  });
});

test("where sending is short beside training nothing overlaps: each ticket begins with the delta before in it", async () => {
  const { goodput, server } = await present({ parameters: 2_000, stepMs: 400 });
  expect(goodput).toBeGreaterThan(0.85);
  for (const [i, { ticket }] of server.uploads.entries()) expect(ticket.version).toBe(i);
});

test("an overlapped ticket comes to the same bytes as one computed by itself", async () => {
  const { server } = await present({ ...small, fresh: true });
  expect(server.uploads.some(({ ticket }, i) => ticket.version < i)).toBe(true);
  for (const { ticket, frame } of server.uploads) {
    const trainer = new ToyTrainer();
    await trainer.load(server.versions[ticket.version]!.weights);
    for (const rate of ticket.rates) await trainer.step(new Uint16Array(), ticket.batch, rate);
    const payload = await trainer.extract(codecOf(DENSE4));
    expect(frame).toEqual(frameOf(DENSE4, TARGET.length, payload));
  }
});
