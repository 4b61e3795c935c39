import { type ReadonlySignal, signal } from "@preact/signals";
import type { Json } from "../../../protocol/guards.ts";
import { OPERATOR_ROUTES } from "../../../protocol/operator.ts";
import { type Ask, Refused } from "../api-client.ts";
import { linkIn, linkRefusedLine, text } from "./strings.ts";

export interface SessionDeps {
  readonly ask: Ask;
  /** The page's own address, whose fragment may hold a one-time link. */
  readonly hash: string;
  /** The path under which the browser has our pages, e.g. `/train/`: the session's cookie is for that. */
  readonly path: string;
  /** Takes the link out of the address bar and the history. */
  readonly forgetHash: () => void;
}

/** An operator's session with a server: of one run or of all. */
export interface Session {
  /** Why the link of this page's address did not sign in; empty where there was none, or it did. */
  readonly linkRefused: ReadonlySignal<string>;
  /** The result of the last action, in words. */
  readonly said: ReadonlySignal<string>;
  /** Signs in with the address's link, if it has one. */
  signIn(): Promise<void>;
  /** Asks for something to be done, says `done` or why not, and resolves to whether it was done. */
  perform(route: string, body: Json, done: string): Promise<boolean>;
  signOut(): Promise<void>;
}

export function openSession({ ask, hash, path, forgetHash }: SessionDeps): Session {
  const linkRefused = signal("");
  const said = signal("");
  return {
    linkRefused,
    said,
    async signIn() {
      const link = linkIn(hash);
      if (link === undefined) return;
      forgetHash();
      await ask(OPERATOR_ROUTES.signIn, { link, path }).catch((error: unknown) => {
        if (error instanceof Refused) linkRefused.value = linkRefusedLine(error);
      });
    },
    async perform(route, body, done) {
      try {
        await ask(route, body);
        said.value = done;
        return true;
      } catch (error) {
        said.value = text.failed(error instanceof Refused ? error.message : text.away);
        return false;
      }
    },
    async signOut() {
      await ask(OPERATOR_ROUTES.signOut, { path }).catch(() => undefined);
    },
  };
}
