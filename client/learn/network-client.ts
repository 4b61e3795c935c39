import { batch, type ReadonlySignal, signal } from "@preact/signals";
import { listenToWorker } from "../ui/listen-to-worker.ts";
import type { Exam, Lesson, PupilCommand, PupilPhase, PupilReport } from "./messages.ts";

/** The small network's Worker as signals. No Worker is there, and nothing fetched, before {@link NetworkClient.start}. */
export interface NetworkClient {
  readonly phase: ReadonlySignal<PupilPhase | { readonly phase: "absent" }>;
  readonly lesson: ReadonlySignal<Lesson | undefined>;
  /** The network before its first step, to compare with. */
  readonly first: ReadonlySignal<Lesson | undefined>;
  readonly exam: ReadonlySignal<Exam | undefined>;
  /** Of this life, oldest first. */
  readonly exams: ReadonlySignal<readonly Pick<Exam, "step" | "right">[]>;
  readonly losses: ReadonlySignal<readonly number[]>;
  readonly hurry: ReadonlySignal<boolean>;
  start(): void;
  pause(): void;
  one(): void;
  reset(): void;
  another(): void;
  setHurry(hurry: boolean): void;
}

/** Starts a Worker and calls back with what it says. */
export type SpawnNetwork = (onReport: (report: PupilReport) => void) => {
  post(command: PupilCommand): void;
  terminate(): void;
};

export function createNetworkClient(spawn: SpawnNetwork): NetworkClient {
  const phase = signal<PupilPhase | { readonly phase: "absent" }>({ phase: "absent" });
  const lesson = signal<Lesson | undefined>(undefined);
  const first = signal<Lesson | undefined>(undefined);
  const exam = signal<Exam | undefined>(undefined);
  const exams = signal<readonly Pick<Exam, "step" | "right">[]>([]);
  const losses = signal<readonly number[]>([]);
  const hurry = signal(false);
  let worker: ReturnType<SpawnNetwork> | undefined;

  function hear(report: PupilReport) {
    switch (report.type) {
      case "phase":
        phase.value = report.phase;
        if (report.phase.phase === "failed") end();
        return;
      case "lesson": {
        const { step, loss } = report.lesson;
        if (step === 0) {
          first.value = report.lesson;
          losses.value = [];
          exams.value = [];
        }
        if (loss !== undefined && step !== lesson.value?.step) losses.value = [...losses.value, loss];
        lesson.value = report.lesson;
        return;
      }
      case "exam": {
        const { step, right } = report.exam;
        if (step !== exams.value.at(-1)?.step) exams.value = [...exams.value, { step, right }];
        exam.value = report.exam;
        return;
      }
    }
  }

  /** A network that failed is of no more use; {@link NetworkClient.start} makes another. */
  function end() {
    worker?.terminate();
    worker = undefined;
  }

  function tell(command: PupilCommand) {
    worker ??= spawn((report) => batch(() => hear(report)));
    worker.post(command);
  }

  return {
    phase,
    lesson,
    first,
    exam,
    exams,
    losses,
    hurry,
    start() {
      if (worker === undefined) phase.value = { phase: "loading" };
      tell({ type: "start" });
    },
    pause: () => tell({ type: "pause" }),
    one: () => tell({ type: "one" }),
    reset: () => tell({ type: "reset" }),
    another: () => tell({ type: "another" }),
    setHurry(next) {
      hurry.value = next;
      tell({ type: "hurry", hurry: next });
    },
  };
}

/** The small network's Worker in this browser. */
export const spawnNetwork: SpawnNetwork = (onReport) => {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  listenToWorker(worker, onReport, (detail: string) =>
    onReport({ type: "phase", phase: { phase: "failed", detail } }),
  );
  return { post: (command) => worker.postMessage(command), terminate: () => worker.terminate() };
};
