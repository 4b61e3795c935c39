import { type ReadonlySignal, signal } from "@preact/signals";
import { parseTextState, type TextOrder, type TextState } from "../../../protocol/added-text.ts";
import { SETUP_ROUTES } from "../../../protocol/setup.ts";
import { Refused } from "../api-client.ts";
import { sendText } from "../setup/send-text.ts";
import type { Sending, SetupClient, SetupDeps } from "../setup/setup-client.ts";
import { moreText } from "./text-strings.ts";

/** Milliseconds between two looks, and between two while a text is being added. */
const POLL_MS = 10_000;
const WORK_POLL_MS = 1_000;

/** The page's side of adding text to a run. */
export interface TextClient extends Pick<SetupClient, "sending" | "said" | "send" | "discard"> {
  readonly state: ReadonlySignal<TextState | undefined>;
  /** Looks now, and again and again from then on. */
  watch(): void;
  add(order: TextOrder): Promise<void>;
}

export function openTexts({ ask, after }: SetupDeps): TextClient {
  const state = signal<TextState | undefined>(undefined);
  const sending = signal<Sending | undefined>(undefined);
  const said = signal("");
  let watching = false;

  async function look(): Promise<void> {
    state.value = parseTextState(await ask(SETUP_ROUTES.state));
  }

  async function poll(): Promise<void> {
    await look().catch(() => {}); // the page's own look says when the server is away
    after(state.value?.work ? WORK_POLL_MS : POLL_MS, () => void poll());
  }

  /** Does it, says why not where it is refused, and looks again. */
  async function attempt(task: () => Promise<unknown>): Promise<void> {
    try {
      await task();
      said.value = "";
    } catch (error) {
      said.value = moreText.refused(error instanceof Refused ? error.message : moreText.away);
    }
    await look().catch(() => {});
  }

  return {
    state,
    sending,
    said,
    watch() {
      if (!watching) void poll();
      watching = true;
    },
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
    async add(order) {
      await attempt(() => ask(SETUP_ROUTES.add, { ...order }));
      if (state.value?.work) after(WORK_POLL_MS, () => void look().catch(() => {}));
    },
  };
}
