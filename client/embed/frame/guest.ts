import { computed, effect, type ReadonlySignal, type Signal, signal, untracked } from "@preact/signals";
import { serverOf } from "../../../protocol/address.ts";
import type { Intermediary } from "../../../protocol/intermediary.ts";
import type { RunStatus } from "../../../protocol/status.ts";
import { forgetServer } from "../../cache/browser.ts";
import { hasWords, keepLanguage } from "../../language/current.ts";
import { timelyFetch } from "../../transport/timely-fetch.ts";
import { browserStorage } from "../../ui/browser-storage.ts";
import { askStatus, type Connection, type RunWatch, watchRunInBrowser } from "../../ui/watch.ts";
import { phaseLine } from "../../volunteer/lines.ts";
import type { ChoiceStorage } from "../../volunteer/session/choices.ts";
import { reloadOnce, tabStorage } from "../../volunteer/session/reload.ts";
import { browserRests } from "../../volunteer/session/rests.ts";
import { createSession, type Session } from "../../volunteer/session/session.ts";
import { createTrainer, spawnWorker, type TrainerHandle } from "../../volunteer/session/worker-client.ts";
import type { PauseReason } from "../../worker/messages.ts";
import type { AskWish, FromFrame } from "../messages.ts";
import { allowance } from "./allowance.ts";
import { words } from "./strings.ts";

/** The framing site's wishes. */
export interface SiteWishes {
  /** Its origin; empty where the frame was opened by itself. */
  readonly host: string;
  readonly share: number;
  /** Bytes a day; null for no bound. */
  readonly budget: number | null;
  readonly ask: AskWish | undefined;
}

/** A volunteer as a guest on another site's page. */
export interface Guest {
  readonly wishes: SiteWishes;
  readonly session: Session;
  readonly trainer: TrainerHandle;
  readonly status: ReadonlySignal<RunStatus | undefined>;
  readonly connection: ReadonlySignal<Connection>;
  readonly why: RunWatch["why"];
  /** Whether the visitor has the model write, in the volunteer's place. */
  readonly asking: Signal<boolean>;
  /** Bytes that were downloaded for that. */
  readonly fetched: Signal<number>;
  agree(): void;
  refuse(): void;
  /** The site's own pause. */
  hold(held: boolean): void;
  stop(): void;
  /** Withdraws consent and clears storage, then tells the site. */
  revoke(): Promise<void>;
}

/** Milliseconds until a server that is away is asked again, before consent. */
const ASK_AGAIN_MS = 5_000;

/**
 * Before consent this asks the server once what it is to ask the visitor about; the event stream, the Worker
 * and everything else begin with the visitor's yes, now or on an earlier visit to the same site.
 */
export function createGuest(wishes: SiteWishes, tell: (message: FromFrame) => void): Guest {
  const server = serverOf(location.href);
  const storage = scoped(browserStorage(), wishes.host);
  const trainer = createTrainer(spawnWorker, undefined, wishes.host);
  const held = signal(false);
  const fetched = signal(0);
  const spent = allowance({
    budget: wishes.budget,
    traffic: () => fetched.value + (trainer.traffic.value?.down ?? 0) + (trainer.traffic.value?.up ?? 0),
    storage,
    today: () => new Date().toISOString().slice(0, 10),
  });
  const session = createSession({
    trainer,
    server,
    device: undefined,
    storage,
    rests: browserRests(),
    site: computed<PauseReason | undefined>(() => (spent.value ? "budget" : held.value ? "site" : undefined)),
    initial: { share: wishes.share },
  });

  const asked = signal<RunStatus | undefined>(undefined);
  const outcome = signal<Connection>("loading");
  const askedWhy = signal<Intermediary | undefined>(undefined);
  const watch = signal<RunWatch | undefined>(undefined);
  const status = computed(() => watch.value?.status.value ?? asked.value);

  async function ask() {
    const answer = await askStatus(timelyFetch());
    if (!("connection" in answer)) {
      asked.value = answer;
      outcome.value = "live";
      session.enter(answer.run); // whoever agreed here before goes on
    } else {
      outcome.value = answer.connection;
      askedWhy.value = answer.why;
      if (answer.connection === "mismatch") reloadOnce(tabStorage(), () => location.reload());
      else setTimeout(() => void ask(), ASK_AGAIN_MS);
    }
  }
  void ask();

  effect(() => {
    if (!session.agreed.value) return;
    untracked(() => {
      watch.value ??= watchRunInBrowser();
      // A stop ended the last visit, not the consent: who opened the box again wants it to run.
      if (session.choices.value.wanted === "stop") session.start();
      tell({ murmuration: 1, type: "consent", given: true });
    });
  });

  effect(() => {
    if (!hasWords.value) return;
    const phase = session.phase.value;
    const asking = !session.agreed.value;
    const state = asking ? "asking" : phase.phase;
    tell({ murmuration: 1, type: "state", state, line: asking ? words.asking : phaseLine(phase) });
    if (phase.phase === "unable") {
      tell({ murmuration: 1, type: "error", detail: `${phaseLine(phase)} ${phase.detail}`.trim() });
      if (phase.why === "protocol") reloadOnce(tabStorage(), () => location.reload());
    }
  });

  effect(() => {
    const step = trainer.step.value;
    if (step !== undefined) {
      tell({ murmuration: 1, type: "step", step: step.step, steps: step.steps, loss: step.loss });
    }
  });

  effect(() => {
    const sent = trainer.sent.value?.tokens ?? 0;
    const merged = trainer.credit.value?.tokens ?? 0;
    if (sent > 0 || merged > 0) tell({ murmuration: 1, type: "credit", sent, merged });
  });

  return {
    wishes,
    session,
    trainer,
    status,
    asking: signal(wishes.ask === "now"),
    fetched,
    connection: computed(() => watch.value?.connection.value ?? outcome.value),
    why: computed(() => (watch.value === undefined ? askedWhy.value : watch.value.why.value)),
    agree() {
      if (asked.value !== undefined) session.agree(asked.value.run);
    },
    refuse() {
      tell({ murmuration: 1, type: "consent", given: false });
      tell({ murmuration: 1, type: "stopped" });
    },
    hold(now) {
      held.value = now;
    },
    stop() {
      session.stop();
      tell({ murmuration: 1, type: "stopped" });
    },
    async revoke() {
      watch.value?.close();
      session.revoke();
      storage?.removeItem("murmuration-traffic");
      keepLanguage(browserStorage(), undefined);
      await forgetServer(server);
      tell({ murmuration: 1, type: "revoked" });
    },
  };
}

/** Storage of one framing site. Browsers that do not part it by site would else share a yes between sites. */
function scoped(storage: Storage | undefined, host: string): ChoiceStorage | undefined {
  if (storage === undefined) return undefined;
  const of = (key: string) => `${key} ${host}`;
  return {
    getItem: (key) => storage.getItem(of(key)),
    setItem: (key, value) => storage.setItem(of(key), value),
    removeItem: (key) => storage.removeItem(of(key)),
  };
}
