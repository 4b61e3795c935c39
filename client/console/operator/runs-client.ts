import { type ReadonlySignal, signal } from "@preact/signals";
import {
  LOBBY_ROUTES,
  type OperatorRuns,
  parseOperatorRuns,
  type RunsAction,
} from "../../../protocol/lobby.ts";
import { Refused } from "../api-client.ts";
import { openSession, type Session, type SessionDeps } from "./session.ts";

/** Milliseconds between two looks. */
const POLL_MS = 5_000;

/** The side of the operator of all runs: what the server says of them, and what can be done. */
export interface RunsClient extends Pick<Session, "linkRefused" | "said" | "signOut"> {
  readonly access: ReadonlySignal<"loading" | "signed-out" | "signed-in" | "away">;
  readonly runs: ReadonlySignal<OperatorRuns | undefined>;
  /** Does it, says `done` or why not, and resolves to whether it was done. */
  act(action: RunsAction, done: string): Promise<boolean>;
}

export interface RunsDeps extends SessionDeps {
  readonly after: (ms: number, callback: () => void) => void;
}

/** Signs in with the address's link, if it has one, and keeps asking how the runs are. */
export function openRuns(deps: RunsDeps): RunsClient {
  const { ask, after } = deps;
  const session = openSession(deps);
  const access = signal<"loading" | "signed-out" | "signed-in" | "away">("loading");
  const runs = signal<OperatorRuns | undefined>(undefined);

  async function look(): Promise<void> {
    try {
      runs.value = parseOperatorRuns(await ask(LOBBY_ROUTES.operatorRuns));
      access.value = "signed-in";
    } catch (error) {
      const isOut = error instanceof Refused && error.code === "not-signed-in";
      if (isOut) runs.value = undefined;
      access.value = isOut ? "signed-out" : "away";
    }
  }

  async function poll(): Promise<void> {
    await look();
    if (access.value !== "signed-out") after(POLL_MS, () => void poll());
  }

  void session.signIn().then(poll);
  return {
    access,
    runs,
    linkRefused: session.linkRefused,
    said: session.said,
    async act(action, done) {
      const isDone = await session.perform(LOBBY_ROUTES.operatorRuns, { ...action }, done);
      await look();
      return isDone;
    },
    async signOut() {
      await session.signOut();
      await look();
    },
  };
}
