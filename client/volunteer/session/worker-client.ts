import { batch, type ReadonlySignal, signal } from "@preact/signals";
import type { DeviceName } from "../../../model/contract/trainer.ts";
import type { VolunteerKey } from "../../../protocol/ids.ts";
import type { Manifest } from "../../../protocol/manifest.ts";
import { listenToWorker } from "../../ui/listen-to-worker.ts";
import type {
  Command,
  DeltaPicture,
  Inside,
  Passage,
  PauseReason,
  Phase,
  Report,
  WorkerPart,
} from "../../worker/messages.ts";
import { answerOtherTabs } from "../../worker/tab-presence.ts";

type Of<T extends Report["type"]> = Extract<Report, { type: T }>;

/** A running Worker, as little of it as the page needs. */
export interface TrainerWorker {
  post(command: Command, transfer?: Transferable[]): void;
  terminate(): void;
}

/** Starts a Worker and calls back with what it says, or with why it died. */
export type Spawn = (onReport: (report: Report) => void, onDeath: (detail: string) => void) => TrainerWorker;

/** Sends since the page was opened, and the newest of them. */
export interface Sent {
  readonly last: Of<"sent">;
  readonly times: number;
  readonly tokens: number;
}

/** Everything the Worker has told the page, as signals, and what the page can tell it. */
export interface TrainerHandle {
  readonly phase: ReadonlySignal<Phase>;
  /** Whether a Worker is there at all. */
  readonly alive: ReadonlySignal<boolean>;
  readonly manifest: ReadonlySignal<Manifest | undefined>;
  /** The key that this browser's work is signed with. */
  readonly volunteer: ReadonlySignal<VolunteerKey | undefined>;
  readonly device: ReadonlySignal<Of<"device"> | undefined>;
  readonly step: ReadonlySignal<Of<"step"> | undefined>;
  /** Training loss of the last steps, oldest first. */
  readonly losses: ReadonlySignal<readonly number[]>;
  readonly passage: ReadonlySignal<Passage | undefined>;
  /** The result of the last {@link look}. */
  readonly inside: ReadonlySignal<Inside | undefined>;
  readonly delta: ReadonlySignal<DeltaPicture | undefined>;
  /** The newest download, kept after it is complete. */
  readonly download: ReadonlySignal<Extract<Phase, { phase: "downloading" }> | undefined>;
  readonly sent: ReadonlySignal<Sent | undefined>;
  readonly refused: ReadonlySignal<Of<"refused"> | undefined>;
  /** Parts of the Worker that could not be loaded. */
  readonly missing: ReadonlySignal<ReadonlySet<WorkerPart>>;
  readonly credit: ReadonlySignal<Of<"credit">["credit"] | undefined>;
  readonly traffic: ReadonlySignal<Of<"traffic"> | undefined>;
  start(options: StartOptions): void;
  setShare(share: number): void;
  pause(why: PauseReason): void;
  resume(): void;
  /** Asks the Worker for a look inside. */
  look(): void;
  /** Hands the Worker its way to peers, or takes it away. */
  connect(port: MessagePort | undefined): void;
  /** Asks the Worker to end; it is terminated when it has, or when it does not answer. */
  stop(): void;
  /** Ends the Worker at once, and with it what it had open. */
  end(): void;
}

export interface StartOptions {
  readonly server: string;
  readonly share: number;
  readonly device: DeviceName | undefined;
  /** Whether the visitor agreed to peers: {@link TrainerHandle.connect} follows. */
  readonly peers: boolean;
}

/** Losses kept for the little line beside the number. */
const KEPT_LOSSES = 240;
/** In milliseconds, and in how many parts it is waited: one that sleeps through a part has not been silent for longer. */
const START_WITHIN_MS = 60_000;
const START_PARTS = 4;
/** Milliseconds a Worker has to stop, which it does within one inner step: a longer step is a hung device. */
const STOP_WITHIN_MS = 5_000;

export function createTrainer(
  spawn: Spawn,
  after: (ms: number, callback: () => void) => void = setTimeoutAfter,
  /** The origin of the page that frames this one; empty where none does. */
  site = "",
): TrainerHandle {
  const phase = signal<Phase>({ phase: "stopped" });
  const alive = signal(false);
  const manifest = signal<Manifest | undefined>(undefined);
  const volunteer = signal<VolunteerKey | undefined>(undefined);
  const device = signal<Of<"device"> | undefined>(undefined);
  const step = signal<Of<"step"> | undefined>(undefined);
  const losses = signal<readonly number[]>([]);
  const passage = signal<Passage | undefined>(undefined);
  const inside = signal<Inside | undefined>(undefined);
  const delta = signal<DeltaPicture | undefined>(undefined);
  const download = signal<Extract<Phase, { phase: "downloading" }> | undefined>(undefined);
  const sent = signal<Sent | undefined>(undefined);
  const refused = signal<Of<"refused"> | undefined>(undefined);
  const missing = signal<ReadonlySet<WorkerPart>>(new Set());
  const credit = signal<Of<"credit">["credit"] | undefined>(undefined);
  const traffic = signal<Of<"traffic"> | undefined>(undefined);
  let worker: TrainerWorker | undefined;

  function enter(next: Phase) {
    phase.value = next;
    if (next.phase === "downloading") download.value = next;
    if (next.phase === "stopped" || next.phase === "unable" || next.phase === "finished") end();
  }

  function hear(report: Report) {
    switch (report.type) {
      case "phase":
        return enter(report.phase);
      case "run":
        manifest.value = report.manifest;
        volunteer.value = report.volunteer;
        return;
      case "device":
        device.value = report;
        return;
      case "step":
        step.value = report;
        losses.value = [...losses.value, report.loss].slice(-KEPT_LOSSES);
        return;
      case "passage":
        passage.value = report.passage;
        return;
      case "inside":
        inside.value = report.inside;
        return;
      case "delta":
        delta.value = report.delta;
        return;
      case "sent": {
        const before = sent.value;
        sent.value = {
          last: report,
          times: (before?.times ?? 0) + 1,
          tokens: (before?.tokens ?? 0) + report.tokens,
        };
        refused.value = undefined;
        return;
      }
      case "refused":
        refused.value = report;
        return;
      case "missing": {
        const parts = new Set(missing.value);
        if (report.missing) parts.add(report.part);
        else parts.delete(report.part);
        missing.value = parts;
        return;
      }
      case "credit":
        credit.value = report.credit;
        return;
      case "traffic":
        traffic.value = report;
        return;
    }
  }

  function end() {
    worker?.terminate();
    worker = undefined;
    alive.value = false;
  }

  /** Gives up on a Worker that is still about to start when its time is over: nothing it waits for will come. */
  function expectStart(mine: TrainerWorker, parts = START_PARTS) {
    after(START_WITHIN_MS / START_PARTS, () => {
      if (worker !== mine || phase.value.phase !== "starting") return;
      if (parts > 1) expectStart(mine, parts - 1);
      else enter({ phase: "unable", why: "stuck", detail: "" });
    });
  }

  return {
    phase,
    alive,
    manifest,
    volunteer,
    device,
    step,
    losses,
    passage,
    inside,
    delta,
    download,
    sent,
    refused,
    missing,
    credit,
    traffic,
    start({ server, share, device, peers }) {
      if (worker !== undefined) return;
      phase.value = { phase: "starting" };
      const mine = spawn(
        // A Worker that was replaced may still have messages under way.
        (report) => worker === mine && batch(() => hear(report)),
        (detail) => worker === mine && batch(() => enter({ phase: "unable", why: "failed", detail })),
      );
      worker = mine;
      alive.value = true;
      expectStart(mine);
      mine.post({
        type: "start",
        server,
        share,
        ...(peers && { peers }),
        ...(device !== undefined && { device }),
        ...(site !== "" && { site }),
      });
    },
    setShare: (share) => worker?.post({ type: "share", share }),
    pause: (why) => worker?.post({ type: "pause", why }),
    resume: () => worker?.post({ type: "resume" }),
    look: () => worker?.post({ type: "look" }),
    connect: (port) =>
      port === undefined ? worker?.post({ type: "peers" }) : worker?.post({ type: "peers", port }, [port]),
    end() {
      if (worker !== undefined) enter({ phase: "stopped" });
    },
    stop() {
      const mine = worker;
      if (mine === undefined) return;
      mine.post({ type: "stop" });
      after(STOP_WITHIN_MS, () => {
        if (worker === mine) enter({ phase: "stopped" });
      });
    },
  };
}

const setTimeoutAfter = (ms: number, callback: () => void): void => {
  setTimeout(callback, ms);
};

/** The trainer's Worker in this browser. */
export const spawnWorker: Spawn = (onReport, onDeath) => {
  const worker = new Worker(new URL("../../worker/worker.ts", import.meta.url), { type: "module" });
  let waits = false;
  const silence = answerOtherTabs(() => !waits);
  const hear = (report: Report) => {
    if (report.type === "phase") waits = report.phase.phase === "paused" && report.phase.why === "other-tab";
    onReport(report);
  };
  listenToWorker(worker, hear, onDeath);
  return {
    post: (command, transfer = []) => worker.postMessage(command, transfer),
    terminate: () => {
      silence();
      worker.terminate();
    },
  };
};
