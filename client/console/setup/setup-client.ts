import { type ReadonlySignal, signal } from "@preact/signals";
import {
  type Estimate,
  parseEstimate,
  parseSetupState,
  SETUP_ROUTES,
  type SetupOrder,
  type SetupState,
} from "../../../protocol/setup.ts";
import { type Ask, Refused } from "../api-client.ts";
import { sendText, type TextFile } from "./send-text.ts";
import { text } from "./strings.ts";

/** The page's side of making a run: what the server says of it, and what can be done. */
export interface SetupClient {
  readonly state: ReadonlySignal<SetupState | undefined>;
  /** A text that this page is sending. */
  readonly sending: ReadonlySignal<Sending | undefined>;
  /** The estimate for a size, or why it is refused; undefined while the server works it out. */
  readonly estimate: ReadonlySignal<Estimate | string | undefined>;
  /** Why the last thing done was refused, in words; empty when it was not. */
  readonly said: ReadonlySignal<string>;
  look(): Promise<void>;
  send(file: TextFile): Promise<void>;
  discard(): Promise<void>;
  estimateFor(order: SetupOrder): void;
  createRun(order: SetupOrder): Promise<void>;
}

export interface Sending {
  readonly name: string;
  readonly bytes: number;
  readonly received: number;
  readonly away: boolean;
}

export interface SetupDeps {
  readonly ask: Ask;
  readonly after: (ms: number, callback: () => void) => void;
}

/** Milliseconds from the last key pressed until the server is asked for an estimate. */
const TYPING_MS = 250;

export function openSetup({ ask, after }: SetupDeps): SetupClient {
  const state = signal<SetupState | undefined>(undefined);
  const sending = signal<Sending | undefined>(undefined);
  const estimate = signal<Estimate | string | undefined>(undefined);
  const said = signal("");
  let asked = 0;

  async function look(): Promise<void> {
    state.value = parseSetupState(await ask(SETUP_ROUTES.state));
  }

  /** Does it, says why not where it is refused, and looks again. */
  async function attempt(task: () => Promise<unknown>): Promise<void> {
    try {
      await task();
      said.value = "";
    } catch (error) {
      said.value = text.refused(error instanceof Refused ? error.message : text.away);
    }
    await look().catch(() => {}); // the page's own look says when the server is away
  }

  return {
    state,
    sending,
    estimate,
    said,
    look,
    async send(file) {
      if (sending.value !== undefined) return;
      const { name, size: bytes } = file;
      const onProgress = (received: number, away: boolean) => {
        sending.value = { name, bytes, received, away };
      };
      onProgress(0, false);
      const wait = (ms: number) => new Promise<void>((resolve) => after(ms, resolve));
      await attempt(() => sendText(file, { ask, wait, onProgress }));
      sending.value = undefined;
    },
    discard: () => attempt(() => ask(SETUP_ROUTES.discard, {})),
    estimateFor(order) {
      const mine = ++asked;
      after(TYPING_MS, async () => {
        if (mine !== asked) return; // more was typed meanwhile
        const answer = await ask(SETUP_ROUTES.estimate, { ...order })
          .then(parseEstimate)
          .catch((error: unknown) => (error instanceof Refused ? error.message : undefined));
        if (mine === asked) estimate.value = answer;
      });
    },
    createRun: (order) => attempt(() => ask(SETUP_ROUTES.create, { ...order })),
  };
}
