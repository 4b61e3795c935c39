import { type ReadonlySignal, signal } from "@preact/signals";
import { SETUP_ROUTES } from "../../../protocol/setup.ts";
import { type Ask, Refused } from "../api-client.ts";
import { sendText, type TextFile } from "./send-text.ts";

export interface Sending {
  readonly name: string;
  readonly bytes: number;
  readonly received: number;
  readonly away: boolean;
}

/** A page that sends a text to its server. */
export interface TextUpload {
  /** A text that this page is sending. */
  readonly sending: ReadonlySignal<Sending | undefined>;
  /** Why the last thing done was refused, in words; empty when it was not. */
  readonly said: ReadonlySignal<string>;
  send(file: TextFile): Promise<void>;
  discard(): Promise<void>;
}

export interface UploadDeps {
  readonly ask: Ask;
  readonly after: (ms: number, callback: () => void) => void;
}

interface UploadParts extends UploadDeps {
  /** Looks at what the server says of its text. */
  readonly look: () => Promise<void>;
  readonly words: { readonly refused: (why: string) => string; readonly away: string };
}

/** The upload, and `attempt`: does something, says why not where it is refused, and looks again. */
export function openUpload({ ask, after, look, words }: UploadParts) {
  const sending = signal<Sending | undefined>(undefined);
  const said = signal("");

  async function attempt(task: () => Promise<unknown>): Promise<void> {
    try {
      await task();
      said.value = "";
    } catch (error) {
      said.value = words.refused(error instanceof Refused ? error.message : words.away);
    }
    await look().catch(() => {}); // the page's own look says when the server is away
  }

  const upload: TextUpload = {
    sending,
    said,
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
  };
  return { upload, attempt };
}
