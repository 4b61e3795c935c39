import { type ReadonlySignal, signal } from "@preact/signals";
import type { Json } from "../../protocol/guards.ts";
import { LOBBY_ROUTES, type Lobby, parseLobby } from "../../protocol/lobby.ts";

/** Milliseconds between two looks: a visitor reads, and the server has other work. */
const POLL_MS = 15_000;

export interface LobbyClient {
  readonly lobby: ReadonlySignal<Lobby | undefined>;
  readonly away: ReadonlySignal<boolean>;
}

export interface LobbyDeps {
  readonly ask: (path: string) => Promise<Json>;
  readonly after: (ms: number, callback: () => void) => void;
}

/** Asks for the runs, again and again. */
export function openLobby({ ask, after }: LobbyDeps): LobbyClient {
  const lobby = signal<Lobby | undefined>(undefined);
  const away = signal(false);
  const look = async () => {
    try {
      lobby.value = parseLobby(await ask(LOBBY_ROUTES.runs));
      away.value = false;
    } catch {
      away.value = true;
    }
    after(POLL_MS, () => void look());
  };
  void look();
  return { lobby, away };
}
