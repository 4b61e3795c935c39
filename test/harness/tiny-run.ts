import { bytesOf, toBase64Url, utf8 } from "../../protocol/bytes.ts";
import { type CodecSpec, F32 } from "../../protocol/codec/codec.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { encodeFrame } from "../../protocol/frame.ts";
import { asObject } from "../../protocol/guards.ts";
import { createIdentity, type Identity, sha256 } from "../../protocol/identity.ts";
import type { Hash, TicketId } from "../../protocol/ids.ts";
import type { Receipt } from "../../protocol/receipt.ts";
import type { Ticket } from "../../protocol/ticket.ts";
import type { Report, Upload } from "../../protocol/upload.ts";
import type { Auditor, Evaluator } from "../../server/evaluate/ports.ts";
import type { Log } from "../../server/lib/log.ts";
import type { RunCorpus, RunOptions, Task } from "../../server/run/options.ts";
import { openRun, type Run } from "../../server/run/run.ts";
import { parseSettings, type Settings } from "../../server/run/settings.ts";
import { fileStore } from "../../server/store/file-store.ts";
import type { Index } from "../../server/store/store.ts";
import { MemoryFiles } from "./memory-files.ts";
import type { MemoryInbox } from "./memory-inbox.ts";
import { memoryIndex } from "./memory-index.ts";

/** A corpus in memory: `shards` train shards of a counting text. Its tokenizer is not one. */
export async function tinyCorpus(shards = 2, tokens = 200): Promise<RunCorpus> {
  const texts = Array.from({ length: shards }, (_, s) =>
    bytesOf(Uint16Array.from({ length: tokens }, (_, i) => (i * (s + 3)) % 256)),
  );
  const byHash = new Map<Hash, Uint8Array<ArrayBuffer>>();
  for (const text of texts) byHash.set(await sha256(text), text);
  return {
    vocabulary: 256,
    tokenizer: utf8('{"tiny":true}'),
    train: [...byHash].map(([hash, text]) => ({ hash, tokens: text.length / 2 })),
    heldOutTokens: 200,
    baselines: { uniform: Math.log(256), unigram: 4, bigram: 3 },
    async shard(hash) {
      const text = byHash.get(hash);
      if (text === undefined) throw new ProtocolError("not-found", "there is no such shard");
      return text;
    },
  };
}

/** Milliseconds of a tiny run's round. */
export const ROUND_MS = 1_000;

/**
 * A run of 2 × 2 windows of 8 tokens a ticket (32 tokens), whose versions have 2 deltas at least. Its volunteers audit nothing
 * unless a test says so: their deltas are made up, and would be as long for a fresh ticket of fewer steps.
 */
export const tinySettings = ({ trust = {}, ...changes }: Record<string, unknown> = {}): Settings =>
  parseSettings({
    trust: { auditors: "server", ...asObject(trust, "trust") },
    model: { layers: 1, heads: 1, width: 8, context: 8 },
    batch: 2,
    rounds: { seconds: ROUND_MS / 1_000, batch: 2 },
    steps: 2,
    warmupTokens: 0,
    learningRate: 0.5,
    quorum: 2,
    delta: "f32",
    snapshotEvery: 3,
    leaseSeconds: 60,
    ...changes,
  });

/** A task whose vector is ten numbers and whose file is just them: nothing knows what they mean. */
export const vectorTask = (): Task => ({
  parameters: 10,
  matrices: [],
  tensors: [],
  initial: (seed) => Float32Array.from({ length: 10 }, (_, i) => Math.fround((seed + i) / 8)),
  encode: (values) => bytesOf(values.slice()),
  decode: (file) => {
    if (file.length !== 40) throw new RangeError("not ten numbers");
    return new Float32Array(file.slice().buffer);
  },
});

/** A clock that only a test moves. */
export class ManualClock {
  ms = 0;
  readonly read = (): number => this.ms;
}

export const silentLog: Log = { info() {}, warn() {}, error() {} };

let processes = 0;

/** Nonces that count up, others in each process, so that a failing run can be run again. */
export function countingRandom(seed = ++processes): (bytes: number) => Uint8Array<ArrayBuffer> {
  let count = 0;
  return (bytes) => {
    const drawn = new Uint8Array(bytes);
    new DataView(drawn.buffer).setUint32(0, ++count, true);
    new DataView(drawn.buffer).setUint32(4, seed, true);
    return drawn;
  };
}

/** A run in memory and all that it was given. */
export interface TinyRun {
  readonly run: Run;
  readonly clock: ManualClock;
  readonly files: MemoryFiles;
  readonly options: RunOptions;
}

export interface TinyOptions {
  readonly files?: MemoryFiles;
  readonly clock?: ManualClock;
  readonly settings?: Settings;
  readonly index?: Index;
  readonly evaluator?: Evaluator;
  readonly auditor?: Auditor;
  readonly log?: Log;
  readonly random?: RunOptions["random"];
  readonly corpus?: RunCorpus;
  readonly segmentBytes?: number;
  readonly merger?: NonNullable<RunOptions["merger"]>;
  readonly mirror?: NonNullable<RunOptions["mirror"]>;
  readonly observe?: NonNullable<RunOptions["observe"]>;
  /** Shared with other servers of the run. */
  readonly inbox?: MemoryInbox;
}

/** Opens (or begins) a tiny run of the ten-number task over files in memory. */
export async function tinyRun(given: TinyOptions = {}): Promise<TinyRun> {
  const files = given.files ?? new MemoryFiles();
  const clock = given.clock ?? new ManualClock();
  const { segmentBytes } = given;
  const store = await fileStore(files, given.index ?? memoryIndex(), {
    salt: () => 7,
    ...(segmentBytes === undefined ? {} : { segmentBytes }),
  });
  if (given.inbox !== undefined) Object.assign(store, { inbox: given.inbox.of(store) });
  const settings = given.settings ?? (store.length === 0 ? tinySettings() : undefined);
  const options: RunOptions = {
    store,
    corpus: given.corpus ?? (await tinyCorpus()),
    ...(settings === undefined ? {} : { settings }),
    task: vectorTask,
    clock: clock.read,
    random: given.random ?? countingRandom(),
    log: given.log ?? silentLog,
    ...(given.merger === undefined ? {} : { merger: given.merger }),
    ...(given.mirror === undefined ? {} : { mirror: given.mirror }),
    ...(given.observe === undefined ? {} : { observe: given.observe }),
    ...(given.evaluator === undefined ? {} : { evaluator: given.evaluator }),
    ...(given.auditor === undefined ? {} : { auditor: given.auditor }),
  };
  return { run: await openRun(options), clock, files, options };
}

/** A volunteer without a network: asks for tickets and sends deltas straight to a run. */
export class TestVolunteer {
  readonly identity: Identity;
  #nonces = 0;

  private constructor(identity: Identity) {
    this.identity = identity;
  }

  static async create(): Promise<TestVolunteer> {
    return new TestVolunteer(await createIdentity());
  }

  ticket(run: Run): Promise<Ticket> {
    return run.ticket(this.identity.key, nonceOf(++this.#nonces));
  }

  send(run: Run, upload: Upload): Promise<Receipt> {
    return run.accept(this.identity.key, upload.ticket.id, upload);
  }

  /** Asks, and sends a delta of `values`. */
  async contribute(run: Run, values: Float32Array = deltaOf(1)): Promise<Receipt> {
    return this.send(run, uploadOf(await this.ticket(run), values));
  }
}

export const REPORT: Report = { loss: 2, trainMs: 5, device: "test" };

/** The report of a ticket all of whose steps were done. */
export const reportOf = (ticket: Ticket): Report => ({
  ...REPORT,
  ...(ticket.trainFor !== undefined && { steps: ticket.steps }),
});

/** An upload of a delta for a ticket. */
export const uploadOf = (
  ticket: Ticket,
  values: Float32Array = deltaOf(1),
  codec: CodecSpec = F32,
): Upload => ({
  ticket,
  report: reportOf(ticket),
  frame: encodeFrame(codec, values),
});

/** Ten small numbers that depend on `seed`. */
export const deltaOf = (seed: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: 10 }, (_, i) => Math.fround(Math.sin(seed * 10 + i) / 16));

export function nonceOf(number: number): TicketId {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint32(0, number, true);
  return toBase64Url(bytes) as TicketId;
}

/** Turns of the event loop that take so long only where another thread is starved of its processor. */
const PATIENCE_MS = 20_000;

/** Resolves when `condition` holds, looking after every turn of the event loop; fails after many, and a while. */
export async function until(condition: () => boolean, turns = 10_000): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  for (let turn = 0; turn < turns || performance.now() < end; turn++) {
    if (condition()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error("what was waited for did not happen");
}

/** Two deltas of one volunteer a version, a tiny run's quorum; its round ends then, whatever tickets are still out. */
export async function advance(
  volunteer: TestVolunteer,
  { run, clock }: TinyRun,
  versions = 1,
): Promise<void> {
  for (let i = 0; i < versions; i++) {
    const { version } = run.status();
    await volunteer.contribute(run, deltaOf(version));
    await volunteer.contribute(run, deltaOf(version + 0.5));
    clock.ms += ROUND_MS;
    run.tick();
    await until(() => run.status().version === version + 1);
  }
}

/** The process ends without a word, and another opens what the disk holds. */
export const restart = ({ files, clock }: TinyRun, survivors: "kill" | "drop" = "kill"): Promise<TinyRun> =>
  tinyRun({ files: files.restart(survivors), clock });
