import { type ReadonlySignal, signal } from "@preact/signals";
import { listenToWorker } from "../ui/listen-to-worker.ts";
import type { Command, Contender, GemmSpeed, Report, Row } from "./messages.ts";
import type { ConfigName } from "./workload.ts";

/** One measurement's results so far. */
export interface Results {
  readonly config: ConfigName;
  readonly gemm: GemmSpeed | undefined;
  readonly rows: readonly Row[];
  readonly refused: readonly { readonly contender: Contender; readonly why: string }[];
}

export type State =
  | { readonly phase: "idle" }
  | {
      readonly phase: "running";
      readonly contender: Contender | undefined;
      readonly step: number;
      readonly results: Results;
    }
  | { readonly phase: "done" | "stopped"; readonly results: Results }
  | { readonly phase: "failed"; readonly why: string; readonly results: Results };

export interface Bench {
  readonly state: ReadonlySignal<State>;
  start(config: ConfigName): void;
  /** Ends the measurement at once; what was measured stays. */
  stop(): void;
}

/** A Worker as the page sees it. */
export type Spawn = (
  onReport: (report: Report) => void,
  onDeath: (why: string) => void,
) => { post(command: Command): void; terminate(): void };

export function createBench(spawn: Spawn, server: string): Bench {
  const state = signal<State>({ phase: "idle" });
  let worker: ReturnType<Spawn> | undefined;

  const end = (next: State) => {
    worker?.terminate();
    worker = undefined;
    state.value = next;
  };

  const heard = (report: Report) => {
    const now = state.value;
    if (now.phase !== "running") return;
    const { results } = now;
    switch (report.type) {
      case "progress":
        state.value = { ...now, contender: report.contender, step: report.step };
        break;
      case "gemm":
        state.value = { ...now, results: { ...results, gemm: report.gemm } };
        break;
      case "row":
        state.value = { ...now, results: { ...results, rows: [...results.rows, report.row] } };
        break;
      case "refused": {
        const { contender, why } = report;
        state.value = { ...now, results: { ...results, refused: [...results.refused, { contender, why }] } };
        break;
      }
      case "done":
        end({ phase: "done", results });
    }
  };

  return {
    state,
    start(config) {
      worker?.terminate();
      const results = { config, gemm: undefined, rows: [], refused: [] };
      state.value = { phase: "running", contender: undefined, step: 0, results };
      worker = spawn(heard, (why) => {
        const now = state.value;
        if (now.phase === "running") end({ phase: "failed", why, results: now.results });
      });
      worker.post({ type: "start", config, server });
    },
    stop() {
      const now = state.value;
      if (now.phase === "running") end({ phase: "stopped", results: now.results });
    },
  };
}

export const spawnBench: Spawn = (onReport, onDeath) => {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  listenToWorker(worker, onReport, onDeath);
  return { post: (command) => worker.postMessage(command), terminate: () => worker.terminate() };
};
