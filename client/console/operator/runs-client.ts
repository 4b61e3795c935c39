import { type ReadonlySignal, signal } from "@preact/signals";
import {
  LOBBY_ROUTES,
  type OperatorRuns,
  parseOperatorRuns,
  type RunsAction,
} from "../../../protocol/lobby.ts";
import { OPERATOR_ROUTES } from "../../../protocol/operator.ts";
import { type Ask, Refused } from "../api-client.ts";
import type { OperatorClient } from "./operator-client.ts";
import { linkIn, linkRefusedLine, text } from "./strings.ts";

/** Milliseconds between two looks. */
const POLL_MS = 5_000;

/** The side of the operator of all runs: what the server says of them, and what can be done. */
export interface RunsClient extends Pick<OperatorClient, "linkRefused" | "said" | "signOut"> {
  readonly access: ReadonlySignal<"loading" | "signed-out" | "signed-in" | "away">;
  readonly runs: ReadonlySignal<OperatorRuns | undefined>;
  /** Does it, says `done` or why not, and resolves to whether it was done. */
  act(action: RunsAction, done: string): Promise<boolean>;
}

export interface RunsDeps {
  readonly ask: Ask;
  readonly after: (ms: number, callback: () => void) => void;
  /** The page's own address, whose fragment may hold a one-time link. */
  readonly hash: string;
  /** The path under which the browser has our pages. */
  readonly path: string;
  /** Takes the link out of the address bar and the history. */
  readonly forgetHash: () => void;
}

/** Signs in with the address's link, if it has one, and keeps asking how the runs are. */
export function openRuns({ ask, after, hash, path, forgetHash }: RunsDeps): RunsClient {
  const access = signal<"loading" | "signed-out" | "signed-in" | "away">("loading");
  const runs = signal<OperatorRuns | undefined>(undefined);
  const linkRefused = signal("");
  const said = signal("");

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

  async function begin(): Promise<void> {
    const link = linkIn(hash);
    if (link !== undefined) {
      forgetHash();
      await ask(OPERATOR_ROUTES.signIn, { link, path }).catch((error: unknown) => {
        if (error instanceof Refused) linkRefused.value = linkRefusedLine(error);
      });
    }
    await poll();
  }

  void begin();
  return {
    access,
    runs,
    linkRefused,
    said,
    async act(action, done) {
      let isDone = false;
      try {
        await ask(LOBBY_ROUTES.operatorRuns, { ...action });
        said.value = done;
        isDone = true;
      } catch (error) {
        said.value = text.failed(error instanceof Refused ? error.message : text.away);
      }
      await look();
      return isDone;
    },
    async signOut() {
      await ask(OPERATOR_ROUTES.signOut, { path }).catch(() => undefined);
      await look();
    },
  };
}
