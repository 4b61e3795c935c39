import { randomUUID } from "node:crypto";
import type { Auditor, Evaluator } from "../evaluate/ports.ts";
import { keptQuestions } from "../evaluate/question-file.ts";
import type { ChoiceQuestion } from "../evaluate/questions.ts";
import type { Log } from "../lib/log.ts";
import { processName } from "../lib/process-name.ts";
import { programVersion } from "../lib/program-version.ts";
import type { RunDefinition } from "../run/genesis.ts";
import { languageTask } from "../run/language-task.ts";
import { largestBatch } from "../run/micro-batch.ts";
import type { RunCorpus, TaskFactory } from "../run/options.ts";
import type { ClusterStore } from "../store/followed-store.ts";
import { nodeFiles } from "../store/node-files.ts";
import { NO_INDEX } from "../store/read-only.ts";
import { decodeAudit, encodeEvidence, jobOf } from "../workers/audit-job.ts";
import { type Every, everyReal, takeJobs } from "../workers/doing.ts";
import { Editions } from "../workers/editions.ts";
import { decodeMeasure, encodeEvaluation } from "../workers/evaluation-job.ts";
import { Merging } from "../workers/merging.ts";
import { ModelReader } from "../workers/model-reader.ts";
import { encodeSign, SIGN_MS } from "../workers/presence.ts";
import type { WorkerTask } from "../workers/tasks.ts";
import { TurnThread } from "../workers/turn-thread.ts";
import { type ClusterOptions, openClusterEdge } from "./cluster.ts";
import { knownRun } from "./known-run.ts";
import { type MeasuringData, measuringData, measuringThreads } from "./language-evaluator.ts";
import { type OpenedCorpus, openCorpus } from "./run-corpus.ts";

/** Milliseconds between two looks whether text was added to the directory. */
const LOOK_MS = 10_000;

export interface WorkerParts {
  readonly store: ClusterStore;
  readonly corpus: OpenedCorpus;
  readonly questions: readonly ChoiceQuestion[];
  readonly task: TaskFactory;
  readonly tasks: readonly WorkerTask[];
  readonly log: Log;
  readonly every: Every;
  /** Threads that measure with this data. */
  readonly threads: (data: MeasuringData) => MeasuringThreads;
}

/** What measures, and its end. */
export interface MeasuringThreads {
  readonly auditor: Pick<Auditor, "audit"> & { close(): Promise<void> };
  readonly evaluator: Pick<Evaluator, "evaluate"> & { close(): Promise<void> };
  readonly turner: Pick<TurnThread, "turn" | "close">;
}

const threadsFor = (data: MeasuringData): MeasuringThreads => ({
  ...measuringThreads(data),
  turner: new TurnThread(),
});

/**
 * A server that works for the one that leads a run: it takes jobs off the cluster and reads weights from there by their
 * hashes. It needs the run's corpus in a directory, and changes nothing.
 */
export class WorkerNode {
  readonly who = `${processName()}:${randomUUID().slice(0, 8)}`;
  readonly #parts: WorkerParts;
  readonly #corpus: RunCorpus;
  readonly #largest: number;
  readonly #models: ModelReader;
  readonly #threads: MeasuringThreads;
  readonly #merging: Merging;
  readonly #editions: Editions;
  readonly #stops: (() => void)[] = [];
  #takes: (() => void)[] = [];
  #kinds: readonly string[] = [];
  /** Texts of the edition whose jobs are taken. */
  #texts = -1;

  private constructor(parts: WorkerParts, corpus: RunCorpus, definition: RunDefinition, program: string) {
    const { settings, task } = definition;
    this.#parts = parts;
    this.#corpus = corpus;
    this.#largest = largestBatch(settings);
    this.#models = new ModelReader(parts.store, task);
    const data = measuringData({ ...parts.corpus, corpus }, parts.questions, () => settings);
    this.#threads = parts.threads(data);
    this.#merging = new Merging({ store: parts.store, task, turner: this.#threads.turner });
    this.#editions = new Editions({ ...data, program });
  }

  /** Rejects with a StoreError where the run has not begun, or cannot be read, or the directory has another corpus. */
  static async open(
    directory: string,
    cluster: ClusterOptions,
    { tasks, log }: Pick<WorkerParts, "tasks" | "log">,
  ): Promise<WorkerNode> {
    const corpus = await openCorpus(directory);
    const questions = await keptQuestions(nodeFiles(directory));
    const store = await openClusterEdge(cluster, () => NO_INDEX);
    const parts = { store, corpus, questions, tasks, log, task: languageTask };
    return WorkerNode.over({ ...parts, every: everyReal, threads: threadsFor });
  }

  /** The same over a store that is open, and closed where this rejects. */
  static async over(parts: WorkerParts): Promise<WorkerNode> {
    const { store, corpus: opened, task, every } = parts;
    try {
      const known = await knownRun(store, opened.corpus, task);
      const node = new WorkerNode(parts, known.corpus, known.definition, await programVersion());
      await node.#take();
      node.#stops.push(
        every(SIGN_MS, () => node.#sign()),
        every(LOOK_MS, () => void node.#lookForText()),
      );
      return node;
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  /** Takes nothing more; what is being measured stays undone, and whoever asked has another do it. */
  async close(): Promise<void> {
    for (const stop of [...this.#stops, ...this.#takes]) stop();
    this.#merging.stop();
    await this.#threads.auditor.close();
    await this.#threads.evaluator.close();
    await this.#threads.turner.close();
    await this.#parts.store.close();
  }

  async #take(): Promise<void> {
    const { corpus, store, tasks, every, log } = this.#parts;
    for (const stop of this.#takes) stop();
    this.#texts = corpus.texts();
    const edition = await this.#editions.now();
    const parts = {
      ...{ line: store.jobs, who: this.who, every },
      failed: (error: unknown) => log.warn({ error: String(error) }, "a job was not done"),
    };
    this.#kinds = tasks.map((task) => `${task}.${edition[task]}`);
    this.#takes = tasks.map((task, i) => {
      const work = { audits: this.#audit, evaluations: this.#evaluate, merges: this.#merge }[task];
      return takeJobs(parts, this.#kinds[i]!, (job) => this.#ofEdition(() => work(job)));
    });
    this.#sign();
  }

  #sign(): void {
    this.#parts.store.jobs.tell(encodeSign({ who: this.who, kinds: this.#kinds }));
  }

  async #lookForText(): Promise<void> {
    const { corpus, log } = this.#parts;
    try {
      await corpus.refresh();
      if (corpus.texts() !== this.#texts) await this.#take();
    } catch (error) {
      log.warn({ error: String(error) }, "added text cannot be read");
    }
  }

  /** Nothing that was measured on other text than the asker's is an answer. */
  async #ofEdition<T>(work: () => Promise<T>): Promise<T> {
    const { corpus } = this.#parts;
    const before = this.#texts;
    const done = corpus.texts() === before ? await work() : undefined;
    if (done === undefined || corpus.texts() !== before) throw new Error("text was added meanwhile");
    return done;
  }

  readonly #audit = async (job: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> => {
    const order = decodeAudit(job);
    if (order.ticket.batch > this.#largest) throw new RangeError("a micro-batch larger than the run's");
    const weights = await this.#models.read(order.model);
    const shard = new Uint16Array((await this.#corpus.shard(order.shard)).slice().buffer);
    return encodeEvidence(await this.#threads.auditor.audit(jobOf(order, weights, shard)));
  };

  readonly #merge = (job: Uint8Array<ArrayBuffer>) => this.#merging.work(job);

  readonly #evaluate = async (job: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> => {
    const model = decodeMeasure(job);
    const weights = await this.#models.read(model);
    return encodeEvaluation(await this.#threads.evaluator.evaluate(model.version, weights));
  };
}
