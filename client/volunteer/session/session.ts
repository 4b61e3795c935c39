import { computed, effect, type ReadonlySignal, signal, untracked } from "@preact/signals";
import type { DeviceName } from "../../../model/contract/trainer.ts";
import type { PauseReason, Phase } from "../../worker/messages.ts";
import {
  type ChoiceStorage,
  type Choices,
  forgetChoices,
  loadChoices,
  saveChoices,
  type Tuning,
} from "./choices.ts";
import { type PauseFor, pauseEnd } from "./pause-until.ts";
import { type Rests, within } from "./rests.ts";
import type { TrainerHandle } from "./worker-client.ts";

/**
 * One visitor's part in one run: what was agreed to and chosen, and a trainer that follows it. Nothing here
 * starts a Worker before {@link Session.agree}, now or on an earlier visit to the same run.
 */
export interface Session {
  readonly choices: ReadonlySignal<Choices>;
  /** Whether the visitor agreed to help this run. */
  readonly agreed: ReadonlySignal<boolean>;
  /** The Worker's phase, or the page's own reason for having none. */
  readonly phase: ReadonlySignal<Phase>;
  /** The machine's abilities, so that the page offers only choices that work here. */
  readonly rests: Rests;
  /** Whether training rests for a reason that the visitor may set aside: see {@link override}. */
  readonly overridable: ReadonlySignal<boolean>;
  /** Consent, and the first start. */
  agree(run: string): void;
  start(): void;
  /** Until the visitor goes on, or for a time; after a time it trains again by itself. */
  pause(length?: PauseFor): void;
  stop(): void;
  choose(change: Partial<Tuning>): void;
  /** Trains in spite of what asks for rest now, until that has passed. */
  override(): void;
  /** Stops, and forgets the consent with all that was chosen. */
  revoke(): void;
  /** Tells which run the page is of, once it is known; a visitor who agreed to it before goes on. */
  enter(run: string): void;
}

export interface SessionOptions {
  readonly trainer: TrainerHandle;
  readonly server: string;
  readonly device: DeviceName | undefined;
  readonly storage: ChoiceStorage | undefined;
  readonly rests: Rests;
  /** The embedding site's demands: its own pause, or its allowance used up. */
  readonly site?: ReadonlySignal<PauseReason | undefined>;
  /** The tuning before the visitor chose any. */
  readonly initial?: Partial<Tuning>;
}

const RUN = { wanted: "run", pausedUntil: undefined } as const;

export function createSession(options: SessionOptions): Session {
  const { trainer, server, device, storage, rests, site, initial } = options;
  const kept = loadChoices(storage);
  const opened = kept.startPaused && kept.wanted === "run" ? { ...kept, wanted: "pause" as const } : kept;
  const choices = signal<Choices>(kept.consented === "" ? { ...kept, ...initial } : opened);
  const run = signal("");

  const agreed = computed(() => run.value !== "" && choices.value.consented === run.value);

  /** All that asks for rest now, the visitor's own word left out, the most lasting first. */
  const reasons = computed<readonly PauseReason[]>(() => {
    const chosen = choices.value;
    const found: PauseReason[] = [];
    if (site?.value !== undefined) found.push(site.value);
    if (chosen.hours !== undefined && !within(chosen.hours, rests.minute.value)) found.push("schedule");
    if (chosen.pauseOnSaver && rests.savesData.value === true) found.push("saver");
    if (chosen.pauseOnBattery && rests.onBattery.value === true) found.push("battery");
    if (chosen.pauseWhenHidden && rests.hidden.value) found.push("hidden");
    if (chosen.pauseOnHeat && rests.hot.value === true) found.push("heat");
    return found;
  });

  /** Reasons that the visitor has set aside while they last. */
  const aside = signal<readonly PauseReason[]>([]);
  effect(() => {
    const now = reasons.value;
    const still = aside.peek().filter((why) => now.includes(why));
    if (still.length < aside.peek().length) aside.value = still;
  });

  /** Why training should rest now; the visitor's own word comes first. */
  const rest = computed<PauseReason | undefined>(() => {
    if (choices.value.wanted === "pause") return "visitor";
    return reasons.value.find((why) => !aside.value.includes(why));
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
    const { wanted, share, withPeers } = choices.value;
    if (!agreed.value || wanted !== "run" || rest.value !== undefined || trainer.alive.value) return;
    trainer.start({ server, share, device, peers: withPeers });
  }

  // A pause for a time is over.
  effect(() => {
    const { wanted, pausedUntil } = choices.value;
    if (wanted !== "pause" || pausedUntil === undefined || rests.now.value < pausedUntil) return;
    untracked(() => change({ wanted: "run", pausedUntil: undefined }));
  });

  let resting: PauseReason | undefined;
  effect(() => {
    const why = rest.value;
    const alive = trainer.alive.value;
    const willing = agreed.value;
    const left = rests.left.value;
    untracked(() => {
      // A frozen Worker would keep the lock, and the cache's open transaction, from the next page for a minute.
      if (left) return trainer.end();
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
    rests,
    // The visitor cannot set the site's demands aside: an allowance is the site's promise.
    overridable: computed(
      () => rest.value !== undefined && rest.value !== "visitor" && rest.value !== site?.value,
    ),
    agree(id) {
      run.value = id;
      // Agreeing to help another run says nothing of sharing with its visitors.
      change({ consented: id, ...RUN, ...(id !== choices.value.consented && { withPeers: false }) });
      follow();
    },
    start() {
      change(RUN);
      follow();
    },
    pause: (length) => change({ wanted: "pause", pausedUntil: length && pauseEnd(length, rests.now.peek()) }),
    stop() {
      // A site may say so before the visitor was asked, and then nothing is kept.
      if (choices.value.wanted !== "stop") change({ wanted: "stop", pausedUntil: undefined });
      trainer.stop();
    },
    choose(next) {
      change(next);
      if (next.share !== undefined) trainer.setShare(next.share);
    },
    override() {
      aside.value = reasons.value;
      if (choices.value.wanted === "pause") change(RUN);
      follow();
    },
    revoke() {
      // Before the Worker ends: one that ends while training is wanted is started again.
      choices.value = { ...choices.value, consented: "", wanted: "stop", pausedUntil: undefined };
      forgetChoices(storage);
      trainer.end();
    },
    enter(id) {
      run.value = id;
    },
  };
}
