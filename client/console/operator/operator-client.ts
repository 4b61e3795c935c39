import { type ReadonlySignal, signal } from "@preact/signals";
import {
  OPERATOR_ROUTES,
  type OperatorAction,
  type Overview,
  parseOverview,
} from "../../../protocol/operator.ts";
import { type Ask, Refused } from "../api-client.ts";
import { doneLine, linkIn, linkRefusedLine, text } from "./strings.ts";

/** `no-run`: signed in, on a server whose run is yet to be made. */
export type Access = "loading" | "signed-out" | "signed-in" | "no-run" | "away";

/** The operator's side of the server: what it says, and what can be done. */
export interface OperatorClient {
  readonly access: ReadonlySignal<Access>;
  readonly overview: ReadonlySignal<Overview | undefined>;
  /** Why the link of this page's address did not sign in; empty where there was none, or it did. */
  readonly linkRefused: ReadonlySignal<string>;
  /** The intermediary that answered in the server's place, while the server is away, if known. */
  readonly why: ReadonlySignal<string>;
  /** The result of the last action, in words. */
  readonly said: ReadonlySignal<string>;
  act(action: OperatorAction): Promise<void>;
  signOut(): Promise<void>;
}

export interface OperatorDeps {
  readonly ask: Ask;
  readonly after: (ms: number, callback: () => void) => void;
  /** The page's own address, whose fragment may hold a one-time link. */
  readonly hash: string;
  /** The path under which the browser has our pages, e.g. `/train/`: the session's cookie is for that. */
  readonly path: string;
  /** Takes the link out of the address bar and the history. */
  readonly forgetHash: () => void;
  /** Looks how far a server without a run is with making one. */
  readonly lookAtSetup: () => Promise<void>;
  /** The run was made: reloads the page, which then has all that belongs to a run. */
  readonly reload: () => void;
}

const POLL_MS = 3_000;
/** Milliseconds between two looks while a run is made, since somebody watches a progress bar. */
const SETUP_POLL_MS = 1_000;

/** Signs in with the address's link, if it has one, and keeps asking how the run is. */
export function openOperator(deps: OperatorDeps): OperatorClient {
  const { ask, after, hash, path: page, forgetHash, lookAtSetup, reload } = deps;
  const access = signal<Access>("loading");
  const overview = signal<Overview | undefined>(undefined);
  const said = signal("");
  const linkRefused = signal("");
  const why = signal("");
  /** This page has seen the server without a run. */
  let isSettingUp = false;

  async function look(): Promise<void> {
    try {
      const answer = await ask(OPERATOR_ROUTES.overview);
      if (isSettingUp) return reload();
      overview.value = parseOverview(answer);
      access.value = "signed-in";
    } catch (error) {
      const code = error instanceof Refused ? error.code : undefined;
      if (code === "not-signed-in") {
        access.value = "signed-out";
        overview.value = undefined;
      } else if (code === "no-run" && (await lookedAtSetup())) {
        access.value = "no-run";
        isSettingUp = true;
      } else {
        why.value = error instanceof Refused && code === "intermediary" ? error.message : "";
        access.value = "away";
      }
    }
  }

  const lookedAtSetup = () =>
    lookAtSetup().then(
      () => true,
      () => false,
    );

  async function poll(): Promise<void> {
    await look();
    // No sign-in happens without the page: without a session it need not ask again.
    if (access.value === "signed-in" || access.value === "away") after(POLL_MS, () => void poll());
    else if (access.value === "no-run") after(SETUP_POLL_MS, () => void poll());
  }

  async function begin(): Promise<void> {
    const link = linkIn(hash);
    if (link !== undefined) {
      forgetHash();
      await ask(OPERATOR_ROUTES.signIn, { link, path: page }).catch((error: unknown) => {
        if (error instanceof Refused) linkRefused.value = linkRefusedLine(error);
      });
    }
    await poll();
  }

  void begin();
  return {
    access,
    overview,
    linkRefused,
    why,
    said,
    async act(action) {
      try {
        await ask(OPERATOR_ROUTES.act, { ...action });
        said.value = doneLine(action);
      } catch (error) {
        said.value = text.failed(error instanceof Refused ? error.message : text.away);
      }
      await look();
    },
    async signOut() {
      await ask(OPERATOR_ROUTES.signOut, { path: page }).catch(() => undefined);
      await look();
    },
  };
}
