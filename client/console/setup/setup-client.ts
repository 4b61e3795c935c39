import { type ReadonlySignal, signal } from "@preact/signals";
import {
  type Estimate,
  parseEstimate,
  parseSetupState,
  SETUP_ROUTES,
  type SetupOrder,
  type SetupState,
} from "../../../protocol/setup.ts";
import { Refused } from "../api-client.ts";
import { text } from "./strings.ts";
import { openUpload, type TextUpload, type UploadDeps } from "./text-upload.ts";

/** The page's side of making a run: what the server says of it, and what can be done. */
export interface SetupClient extends TextUpload {
  readonly state: ReadonlySignal<SetupState | undefined>;
  /** The estimate for a size, or why it is refused; undefined while the server works it out. */
  readonly estimate: ReadonlySignal<Estimate | string | undefined>;
  look(): Promise<void>;
  estimateFor(order: SetupOrder): void;
  createRun(order: SetupOrder): Promise<void>;
}

/** Milliseconds from the last key pressed until the server is asked for an estimate. */
const TYPING_MS = 250;

export function openSetup({ ask, after }: UploadDeps): SetupClient {
  const state = signal<SetupState | undefined>(undefined);
  const estimate = signal<Estimate | string | undefined>(undefined);
  let asked = 0;

  async function look(): Promise<void> {
    state.value = parseSetupState(await ask(SETUP_ROUTES.state));
  }

  const { upload, attempt } = openUpload({ ask, after, look, words: text });
  return {
    ...upload,
    state,
    estimate,
    look,
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
