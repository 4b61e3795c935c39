import { type ReadonlySignal, signal } from "@preact/signals";
import { parseTextState, type TextOrder, type TextState } from "../../../protocol/added-text.ts";
import { SETUP_ROUTES } from "../../../protocol/setup.ts";
import { openUpload, type TextUpload, type UploadDeps } from "../setup/text-upload.ts";
import { moreText } from "./text-strings.ts";

/** Milliseconds between two looks, and between two while a text is being added. */
const POLL_MS = 10_000;
const WORK_POLL_MS = 1_000;

/** The page's side of adding text to a run. */
export interface TextClient extends TextUpload {
  readonly state: ReadonlySignal<TextState | undefined>;
  /** Looks now, and again and again from then on. */
  watch(): void;
  add(order: TextOrder): Promise<void>;
}

export function openTexts({ ask, after }: UploadDeps): TextClient {
  const state = signal<TextState | undefined>(undefined);
  let watching = false;

  async function look(): Promise<void> {
    state.value = parseTextState(await ask(SETUP_ROUTES.state));
  }

  async function poll(): Promise<void> {
    await look().catch(() => {}); // the page's own look says when the server is away
    after(state.value?.work ? WORK_POLL_MS : POLL_MS, () => void poll());
  }

  const { upload, attempt } = openUpload({ ask, after, look, words: moreText });
  return {
    ...upload,
    state,
    watch() {
      if (!watching) void poll();
      watching = true;
    },
    async add(order) {
      await attempt(() => ask(SETUP_ROUTES.add, { ...order }));
      if (state.value?.work) after(WORK_POLL_MS, () => void look().catch(() => {}));
    },
  };
}
