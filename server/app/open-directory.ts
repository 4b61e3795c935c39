import { randomBytes } from "node:crypto";
import { addDefaultCorpus } from "../corpus/default.ts";
import { makeDirectory } from "../corpus/disk.ts";
import { ProgressBar } from "../corpus/progress.ts";
import { takeBackAbandoned } from "../corpus/workspace.ts";
import { hasUpload, kindOf, requireWritable } from "../data-dir/directory.ts";
import { DirectoryError } from "../data-dir/error.ts";
import { beginFirstStart, endFirstStart, isFirstStart } from "../data-dir/first-start.ts";
import { lockDirectory } from "../data-dir/lock.ts";
import { keptQuestions } from "../evaluate/question-file.ts";
import { chanceOf } from "../evaluate/questions.ts";
import type { Writer } from "../lib/io.ts";
import type { JobLine, WorkFigures } from "../lib/jobs.ts";
import type { Log } from "../lib/log.ts";
import { mergeInPool } from "../merge/merge-pool.ts";
import type { Mirror } from "../mirror/mirror.ts";
import { mirrorSource } from "../mirror/source.ts";
import { languageTask } from "../run/language-task.ts";
import type { RunOptions } from "../run/options.ts";
import { openRun, type Run } from "../run/run.ts";
import type { Settings } from "../run/settings.ts";
import { nodeFiles } from "../store/node-files.ts";
import { openFileStore } from "../store/open.ts";
import type { Store } from "../store/store.ts";
import { helpersOn, oneByOne } from "./helpers-on.ts";
import { bytesPerTokenOf, measuringData, measuringThreads } from "./language-evaluator.ts";
import { openCorpus } from "./run-corpus.ts";
import { begunWith, requireSameTokens, startSettings, tokenizerOf } from "./start.ts";
import type { Start } from "./start-folder.ts";
import { inTurn, type Threads } from "./threads.ts";

/** A data directory in use: its run, if it has or gets one, and the way to let go of it. */
export interface OpenDirectory {
  readonly run: Run | undefined;
  /** Whether a corpus is there; undefined where the directory is somebody else's and nothing may be made in it. */
  readonly corpus: boolean | undefined;
  /** Begins a run on the corpus that is there by now, where {@link run} is undefined. */
  begin(settings: Settings): Promise<Run>;
  /** Has the run take in text that was added to the corpus. */
  takeText(): Promise<void>;
  /** What workers did for the run; undefined where it has none. */
  work(): Readonly<Record<string, WorkFigures>> | undefined;
  /** Finishes what is being written, and frees the directory. */
  close(): Promise<void>;
}

export interface DirectoryOptions {
  readonly settings?: Settings | undefined;
  readonly log: Log;
  /** Where a person sees how far the default corpus is. */
  readonly stderr: Writer;
  readonly observe?: RunOptions["observe"];
  readonly mirror?: Mirror | undefined;
  /** Opens the run's store where it is not in the directory's files. */
  readonly openStore?: ((directory: string) => Promise<Store>) | undefined;
  /** Where other servers of the run take work, once the store is open. */
  readonly jobs?: (() => JobLine | undefined) | undefined;
  /** What this process has made of the run while it stood by, once the store is open. */
  readonly known?: RunOptions["known"];
  /** Reads the model that a new run begins with. Nobody who goes on with the run holds it. */
  readonly start?: (() => Promise<Start>) | undefined;
  /** Shared with the other runs of the process. */
  readonly threads?: Threads | undefined;
  /** Makes no run by itself in an empty directory: an operator will. */
  readonly create?: boolean;
}

/**
 * Opens a data directory as `serve` does: an empty one gets the default corpus and a run, unless an operator is to
 * make it or has begun to; one with a corpus gets a run where `settings` or a `start` are given, or where it is
 * a first start's that was killed; one with a run goes on with it. A foreign one is left alone.
 */
export async function openDirectory(directory: string, options: DirectoryOptions): Promise<OpenDirectory> {
  const { log, stderr, observe, mirror, openStore, jobs, known, threads, create = false } = options;
  const start = await options.start?.();
  const world = { log, observe, mirror, openStore, jobs, known, threads };
  const settings = start === undefined ? options.settings : startSettings(options.settings, start);
  await takeBackAbandoned(directory);
  const kind = await kindOf(directory);
  if (kind === "foreign")
    return {
      ...{ run: undefined, corpus: undefined, begin: foreign },
      ...{ takeText: async () => {}, work: () => undefined, close: async () => {} },
    };
  await makeDirectory(directory);
  await requireWritable(directory);
  const unlock = lockDirectory(directory);
  let opened: Opened | undefined;
  const close = async () => {
    await opened?.close();
    unlock();
  };
  const begin = async (chosen: Settings) => {
    opened ??= await open(directory, true, chosen, world, undefined);
    return opened?.run ?? foreign();
  };
  const takeText = async () => opened?.takeText();
  const work = () => opened?.work();
  try {
    if (kind === "empty" && (create || (await hasUpload(directory)))) {
      return { run: undefined, corpus: false, begin, takeText, work, close };
    }
    if (kind === "empty") {
      await beginFirstStart(directory);
      await makeDefaultCorpus(directory, stderr, start && tokenizerOf(start));
    }
    opened = await open(directory, await isFirstStart(directory), settings, world, start);
    if (opened !== undefined) await endFirstStart(directory);
    return { run: opened?.run, corpus: true, begin, takeText, work, close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Opened {
  readonly run: Run;
  takeText(): Promise<void>;
  work: OpenDirectory["work"];
  close(): Promise<void>;
}

const foreign = (): never => {
  throw new DirectoryError("no run can be made here");
};

async function makeDefaultCorpus(directory: string, stderr: Writer, tokenizer?: string): Promise<void> {
  stderr.write(`${directory} is empty: making the default run\n`);
  const bar = new ProgressBar(stderr);
  try {
    const warnings: string[] = [];
    const onWarning = (line: string) => warnings.push(line);
    await addDefaultCorpus(directory, bar.show.bind(bar), tokenizer, undefined, undefined, onWarning);
    bar.end();
    for (const line of warnings) stderr.write(`${line}\n`);
  } finally {
    bar.end();
  }
}

async function open(
  directory: string,
  fresh: boolean,
  settings: Settings | undefined,
  {
    log,
    observe,
    mirror,
    openStore = openFileStore,
    jobs,
    known,
    threads,
  }: Pick<DirectoryOptions, "log" | "observe" | "mirror" | "openStore" | "jobs" | "known" | "threads">,
  start: Start | undefined,
): Promise<Opened | undefined> {
  const opened = await openCorpus(directory);
  if (start !== undefined) requireSameTokens(start, opened.corpus);
  const store = await openStore(directory);
  let close = () => store.close();
  try {
    // Before its first record a run is begun only where somebody asked for one: by an empty directory, by
    // --run, or by an earlier start that got as far as run.json.
    const asked = fresh || settings !== undefined || (await store.get("run", "run.json")) !== undefined;
    if (store.length === 0 && !asked) {
      await store.close();
      return undefined;
    }
    const { task: taskOf, corpus } = await begunWith(store, start, languageTask, opened.corpus);
    let begun: Settings | undefined;
    const questions = await keptQuestions(nodeFiles(directory));
    const data = measuringData({ ...opened, corpus }, questions, () => {
      if (begun === undefined) throw new Error("a run that is not open asked for a measurement");
      return begun;
    });
    const { evaluator, auditor } = measuringThreads(data);
    const line = jobs?.();
    const helpers = line && (await helpersOn(line, data, log));
    const merger = mergeInPool({ helpers: () => helpers });
    const run = await openRun({
      store,
      ...inTurn({ merger, evaluator, auditor: helpers ? oneByOne(auditor) : auditor }, threads),
      ...(helpers && { helpers }),
      known,
      corpus,
      ...(settings && { settings }),
      task: (chosen, vocabulary) => {
        begun = chosen;
        return taskOf(chosen, vocabulary);
      },
      clock: () => performance.now(),
      random: (bytes) => new Uint8Array(randomBytes(bytes)),
      ...(questions.length > 0 && {
        questions: { questions: questions.length, chance: chanceOf(questions) },
      }),
      bytesPerToken: (chosen) => bytesPerTokenOf(opened, chosen),
      log,
      ...(observe && { observe }),
      ...(mirror && { mirror }),
    });
    close = async () => {
      await mirror?.close();
      await run.close();
      helpers?.close();
      await evaluator.close();
      await auditor.close();
      await merger.close();
    };
    await mirror?.attach(mirrorSource(run, corpus));
    const takeText = async () => {
      await opened.refresh();
      mirror?.lookAgain();
      run.admin.takeText();
    };
    return { run, takeText, work: () => helpers?.figures, close };
  } catch (error) {
    await close();
    throw error;
  }
}
