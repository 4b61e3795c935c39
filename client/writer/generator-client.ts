import { batch, type ReadonlySignal, signal } from "@preact/signals";
import { listenToWorker } from "../ui/listen-to-worker.ts";
import type { Likely, WriteRequest, WriterCommand, WriterReport } from "./messages.ts";

export type WriterPhase =
  | { readonly phase: "idle" }
  | { readonly phase: "loading"; readonly bytes: number; readonly total: number }
  | { readonly phase: "ready" }
  | { readonly phase: "writing" }
  | { readonly phase: "failed"; readonly detail: string };

/** The writer's Worker as signals. No Worker is there before {@link GeneratorClient.load}. */
export interface GeneratorClient {
  readonly phase: ReadonlySignal<WriterPhase>;
  /** The version whose weights are loaded. */
  readonly version: ReadonlySignal<number | undefined>;
  readonly vocabulary: ReadonlySignal<number>;
  /** The model's text after {@link prompt}. */
  readonly text: ReadonlySignal<string>;
  readonly prompt: ReadonlySignal<string>;
  readonly next: ReadonlySignal<readonly Likely[]>;
  readonly tokensPerSecond: ReadonlySignal<number | undefined>;
  load(): void;
  write(request: WriteRequest): void;
  stop(): void;
}

export interface WriterWorker {
  post(command: WriterCommand): void;
}

/** Starts a Worker and calls back with what it says, or with why it died. */
export type SpawnGenerator = (
  onReport: (report: WriterReport) => void,
  onDeath: (why: string) => void,
) => WriterWorker;

export function createGenerator(spawn: SpawnGenerator, server: string): GeneratorClient {
  const phase = signal<WriterPhase>({ phase: "idle" });
  const version = signal<number | undefined>(undefined);
  const vocabulary = signal(1);
  const text = signal("");
  const prompt = signal("");
  const next = signal<readonly Likely[]>([]);
  const tokensPerSecond = signal<number | undefined>(undefined);
  let worker: WriterWorker | undefined;

  function hear(report: WriterReport) {
    switch (report.type) {
      case "downloading":
        phase.value = { phase: "loading", bytes: report.bytes, total: report.total };
        return;
      case "ready":
        version.value = report.version;
        vocabulary.value = report.vocabulary;
        phase.value = { phase: "ready" };
        return;
      case "text":
        text.value = report.text;
        next.value = report.next;
        return;
      case "done":
        tokensPerSecond.value = report.tokensPerSecond;
        phase.value = { phase: "ready" };
        return;
      case "failed":
        phase.value = { phase: "failed", detail: report.detail };
        return;
    }
  }

  /** Its weights are gone with it: {@link GeneratorClient.load} starts another. */
  function die(detail: string) {
    worker = undefined;
    version.value = undefined;
    phase.value = { phase: "failed", detail };
  }

  return {
    phase,
    version,
    vocabulary,
    text,
    prompt,
    next,
    tokensPerSecond,
    load() {
      worker ??= spawn(
        (report) => batch(() => hear(report)),
        (detail) => batch(() => die(detail)),
      );
      phase.value = { phase: "loading", bytes: 0, total: 0 };
      worker.post({ type: "load", server });
    },
    write(request) {
      prompt.value = request.prompt;
      text.value = "";
      next.value = [];
      phase.value = { phase: "writing" };
      worker?.post({ type: "write", request });
    },
    stop() {
      worker?.post({ type: "stop" });
      if (version.value !== undefined) phase.value = { phase: "ready" };
    },
  };
}

/** The writer's Worker in this browser. */
export const spawnGenerator: SpawnGenerator = (onReport, onDeath) => {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  listenToWorker(worker, onReport, onDeath);
  return { post: (command) => worker.postMessage(command) };
};
