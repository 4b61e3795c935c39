import { type ReadonlySignal, signal } from "@preact/signals";
import {
  OPERATOR_ROUTES,
  type OperatorAction,
  type Overview,
  parseOverview,
} from "../../../protocol/operator.ts";
import { Refused } from "../api-client.ts";
import { openSession, type Session, type SessionDeps } from "./session.ts";
import { doneLine } from "./strings.ts";

/** `no-run`: signed in, on a server whose run is yet to be made. */
export type Access = "loading" | "signed-out" | "signed-in" | "no-run" | "away";

/** The operator's side of the server: what it says, and what can be done. */
export interface OperatorClient extends Pick<Session, "linkRefused" | "said" | "signOut"> {
  readonly access: ReadonlySignal<Access>;
  readonly overview: ReadonlySignal<Overview | undefined>;
  /** The intermediary that answered in the server's place, while the server is away, if known. */
  readonly why: ReadonlySignal<string>;
  act(action: OperatorAction): Promise<void>;
}

export interface OperatorDeps extends SessionDeps {
  readonly after: (ms: number, callback: () => void) => void;
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
  const { ask, after, lookAtSetup, reload } = deps;
  const session = openSession(deps);
  const access = signal<Access>("loading");
  const overview = signal<Overview | undefined>(undefined);
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

  void session.signIn().then(poll);
  return {
    access,
    overview,
    linkRefused: session.linkRefused,
    why,
    said: session.said,
    async act(action) {
      await session.perform(OPERATOR_ROUTES.act, { ...action }, doneLine(action));
      await look();
    },
    async signOut() {
      await session.signOut();
      await look();
    },
  };
}
