import { computed, effect, type ReadonlySignal, signal, untracked } from "@preact/signals";
import type { DeviceName } from "../../model/trainer.ts";
import type { PauseReason, Phase } from "../trainer/messages.ts";
import { type ChoiceStorage, type Choices, loadChoices, saveChoices } from "./choices.ts";
import type { TrainerHandle } from "./trainer.ts";

/**
 * One visitor's part in one run: what was agreed to and chosen, and a trainer that follows it. Nothing here
 * starts a Worker before {@link Session.agree}, now or on an earlier visit to the same run.
 */
export interface Session {
  readonly choices: ReadonlySignal<Choices>;
  /** Whether the visitor agreed to help this run. */
  readonly agreed: ReadonlySignal<boolean>;
  /** What to show: the Worker's phase, or the page's own reason for having none. */
  readonly phase: ReadonlySignal<Phase>;
  /** Whether the machine tells of its battery, so that the page offers that choice. */
  readonly tellsBattery: ReadonlySignal<boolean>;
  /** Consent, and the first start. */
  agree(run: string): void;
  start(): void;
  pause(): void;
  stop(): void;
  choose(change: Partial<Pick<Choices, "share" | "pauseWhenHidden" | "pauseOnBattery">>): void;
  /** Tells which run the page is of, once it is known; a visitor who agreed to it before goes on. */
  enter(run: string): void;
}

export interface SessionOptions {
  readonly trainer: TrainerHandle;
  readonly server: string;
  readonly device: DeviceName | undefined;
  readonly storage: ChoiceStorage | undefined;
  readonly hidden: ReadonlySignal<boolean>;
  readonly onBattery: ReadonlySignal<boolean | undefined>;
}

export function createSession(options: SessionOptions): Session {
  const { trainer, server, device, storage, hidden, onBattery } = options;
  const choices = signal(loadChoices(storage));
  const run = signal("");

  const agreed = computed(() => run.value !== "" && choices.value.consented === run.value);

  /** Why training should rest now; the visitor's own word comes first. */
  const rest = computed<PauseReason | undefined>(() => {
    const { wanted, pauseWhenHidden, pauseOnBattery } = choices.value;
    if (wanted === "pause") return "visitor";
    if (pauseWhenHidden && hidden.value) return "hidden";
    if (pauseOnBattery && onBattery.value === true) return "battery";
    return undefined;
  });

  const phase = computed<Phase>(() => {
    const now = trainer.phase.value;
    if (trainer.alive.value || choices.value.wanted === "stop" || rest.value === undefined) return now;
    return now.phase === "stopped" ? { phase: "paused", why: rest.value } : now;
  });

  function change(next: Partial<Choices>) {
    choices.value = { ...choices.value, ...next };
    saveChoices(storage, choices.value);
  }

  /** Starts the Worker where it is agreed to and wanted, and nothing asks for rest. */
  function follow() {
    const { wanted, share } = choices.value;
    if (!agreed.value || wanted !== "run" || rest.value !== undefined || trainer.alive.value) return;
    trainer.start({ server, share, device });
  }

  let resting: PauseReason | undefined;
  effect(() => {
    const why = rest.value;
    const alive = trainer.alive.value;
    const willing = agreed.value;
    untracked(() => {
      if (alive && why !== resting && choices.value.wanted !== "stop") {
        if (why === undefined) trainer.resume();
        else trainer.pause(why);
      }
      resting = why;
      // After `unable` or `finished` only the visitor's word starts it again.
      if (willing && !alive && trainer.phase.value.phase === "stopped") follow();
    });
  });

  return {
    choices,
    agreed,
    phase,
    tellsBattery: computed(() => onBattery.value !== undefined),
    agree(id) {
      run.value = id;
      change({ consented: id, wanted: "run" });
      follow();
    },
    start() {
      change({ wanted: "run" });
      follow();
    },
    pause: () => change({ wanted: "pause" }),
    stop() {
      change({ wanted: "stop" });
      trainer.stop();
    },
    choose(next) {
      change(next);
      if (next.share !== undefined) trainer.setShare(next.share);
    },
    enter(id) {
      run.value = id;
    },
  };
}
