import { createWasmTrainer } from "../../model/engine/wasm/trainer.ts";
import { Random } from "../../model/lib/random.ts";
import { bytesOf } from "../../protocol/bytes.ts";
import type { TicketId } from "../../protocol/ids.ts";
import type { Ticket } from "../../protocol/ticket.ts";
import type { DurableEvent } from "../../server/coordinator/events.ts";
import { openEvaluationTrainer } from "../../server/evaluate/device.ts";
import { direct } from "../../server/evaluate/direct.ts";
import { effectsOf } from "../../server/evaluate/effects.ts";
import { examine } from "../../server/evaluate/examine.ts";
import type { Auditor } from "../../server/evaluate/ports.ts";
import { batched, heldOutSlice } from "../../server/evaluate/slice.ts";
import type { Log } from "../../server/lib/log.ts";
import { languageTask } from "../../server/run/language-task.ts";
import { deltaCodec } from "../../server/run/merge-rule.ts";
import type { RunCorpus } from "../../server/run/options.ts";
import { openRun } from "../../server/run/run.ts";
import { parseSettings } from "../../server/run/settings.ts";
import { memoryStore } from "../../test/harness/memory-store.ts";
import type { DefaultCorpus } from "../defaults/corpus.ts";
import { Outsider, type Terms } from "./outsider.ts";
import { SlowClock } from "./slow-clock.ts";

const TICK_MS = 50;
/** Every delta is audited: a number drawn of four bytes, the last of them below this, is under each one's chance. */
const UNLUCKY = 12;
/** What training a ticket takes. */
const TICKET_MS = 1_000;
/** A soak ends without its deltas when it has taken so many times as long as they take. */
const PATIENCE = 4;
/** What a volunteer says of itself: a tiny model's tickets have the most steps there are. */
const PACE = { speed: 50_000, uplink: 1e6, downlink: 4e6 };
const NONCE = "0".repeat(22) as TicketId;

export interface Soak {
  /** Draws the initial weights, the order of the text and the audits' texts. */
  readonly seed: number;
  readonly volunteers: number;
  /** Deltas accepted in all, after which the soak ends. */
  readonly deltas: number;
  /** A run file; its seed is the soak's. */
  readonly run: Readonly<Record<string, unknown>>;
  /** Stands between the run and its auditor: a test's control. */
  readonly through?: (auditor: Auditor) => Auditor;
}

export interface Soaked {
  /** Accepted. */
  readonly deltas: number;
  /** Requests for work and deltas that were refused. */
  readonly refused: number;
  /** Deltas found bad. */
  readonly struck: number;
  /** Volunteers that were shut out at some time. */
  readonly quarantined: number;
  readonly rollbacks: number;
  /** Audits by verdict and reason. */
  readonly verdicts: Readonly<Record<string, number>>;
  readonly versions: number;
  /** Held-out loss at the end, nats a token. */
  readonly loss: number;
}

const silent: Log = { info() {}, warn() {}, error() {} };

/**
 * Honest volunteers, whose training is real, on the product's run with its own audits, roll-backs and merges, in one
 * process and on a clock that waits for them: does the server find fault with anybody?
 */
export async function runSoak(soak: Soak, corpus: DefaultCorpus): Promise<Soaked> {
  const settings = parseSettings({ rounds: "turns", ...soak.run, seed: soak.seed, trust: { auditShare: 1 } });
  const { model, batch, optimizer, residualDecay } = settings;
  const { context } = model;
  const options = { shape: { ...model, vocabulary: corpus.vocabulary }, batch, optimizer };
  const [trainer, evaluating, auditing] = [
    await createWasmTrainer(options),
    await openEvaluationTrainer(options),
    await openEvaluationTrainer(options),
  ];
  // As many windows as the product measures: the noise of it is part of what is soaked.
  const windows = heldOutSlice(corpus.heldOut, context, settings.evaluateWindows, settings.seed);
  const measure = async (weights: Float32Array) => {
    await evaluating.load(weights);
    let sum = 0;
    for (const { rows, tokens } of batched(windows, batch))
      sum += rows * (await evaluating.evaluate(tokens, rows));
    return sum / windows.length;
  };
  const random = new Random(soak.seed * 7_919 + 5);
  const clock = new SlowClock();
  const own: Auditor = {
    audit: (job) => examine(auditing, corpus.gate, context, job),
    direct: (job) => direct(auditing, corpus.gate, context, job),
    effects: (job) => effectsOf(auditing, corpus.gate, context, job),
  };
  const auditor = soak.through?.(own) ?? own;
  const events: DurableEvent[] = [];
  const run = await openRun({
    store: memoryStore(),
    corpus: runCorpusOf(corpus),
    settings,
    task: languageTask,
    clock: () => clock.now,
    random: (bytes) => Uint8Array.from({ length: bytes }, (_, i) => random.below(i === 3 ? UNLUCKY : 256)),
    evaluator: {
      evaluate: (_, weights) => clock.busy(async () => ({ loss: await measure(weights), sample: "" })),
    },
    auditor: {
      audit: (job) => clock.busy(() => auditor.audit(job)),
      direct: (job) => clock.busy(() => auditor.direct(job)),
      effects: (job) => clock.busy(() => auditor.effects(job)),
    },
    log: silent,
    observe: (event) => events.push(event),
  });
  const task = languageTask(settings, corpus.vocabulary);
  const terms: Terms = { context, codec: deltaCodec(settings, task.parameters), decay: residualDecay };
  const weightsOf = async ({ hash }: Ticket) => task.decode(await run.snapshot(hash));
  const of = <T extends DurableEvent["type"]>(type: T) =>
    events.filter((event): event is Extract<DurableEvent, { type: T }> => event.type === type);
  // Who is shut out waits for hours: then there is nothing more to learn.
  const over = () => of("accepted").length >= soak.deltas || clock.now > PATIENCE * soak.deltas * TICKET_MS;
  let refused = 0;
  // All train on one device: one after the other.
  let trained: Promise<unknown> = Promise.resolve();
  const turn = <T>(train: () => Promise<T>): Promise<T> => {
    const mine = trained.then(train);
    trained = mine.catch(() => {});
    return mine;
  };

  const volunteer = async (outsider: Outsider): Promise<void> => {
    while (!over()) {
      try {
        const ticket = await run.ticket(outsider.key, NONCE, PACE, over);
        await clock.sleep(TICKET_MS);
        const shard = corpus.shard(ticket.shard);
        const weights = await weightsOf(ticket);
        const frame = await clock.busy(() =>
          turn(() => outsider.train(trainer, ticket, shard, weights, terms)),
        );
        const report = { loss: 1, trainMs: TICKET_MS, device: "soak" };
        await run.accept(outsider.key, ticket.id, { ticket, report, frame });
      } catch {
        if (!over()) refused += 1;
        await clock.sleep(TICKET_MS);
      }
    }
  };
  let working = soak.volunteers;
  for (let i = 0; i < soak.volunteers; i++) {
    void volunteer(new Outsider(i + 1, (i + soak.seed) % 2 === 0)).finally(() => working--);
  }
  while (working > 0) {
    await clock.pass(TICK_MS);
    run.tick();
  }
  await clock.pass(TICK_MS);
  const verdicts: Record<string, number> = {};
  for (const { verdict, reason, on } of of("audited")) {
    const name = `${verdict}: ${reason}${on === undefined ? "" : " (rolled back)"}`;
    verdicts[name] = (verdicts[name] ?? 0) + 1;
  }
  const struck = of("audited").filter(({ verdict }) => verdict === "bad");
  const loss = await measure(task.decode(run.latestSnapshot().bytes));
  const soaked = {
    deltas: of("accepted").length,
    refused,
    struck: struck.length,
    quarantined: new Set(struck.map((event) => event.volunteer)).size,
    rollbacks: of("rolled-back").length,
    verdicts,
    versions: run.status().version,
    loss,
  };
  await run.close();
  for (const one of [trainer, evaluating, auditing]) one.dispose();
  return soaked;
}

function runCorpusOf({ vocabulary, train, heldOut, shard }: DefaultCorpus): RunCorpus {
  return {
    vocabulary,
    tokenizer: new Uint8Array(1),
    train,
    heldOutTokens: heldOut.length,
    baselines: { uniform: Math.log(vocabulary), unigram: 0, bigram: 0 },
    shard: async (hash) => bytesOf(shard(hash).slice()),
  };
}
