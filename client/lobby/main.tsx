import { here } from "../../protocol/address.ts";
import { parseJson } from "../../protocol/guards.ts";
import { timelyFetch } from "../transport/timely-fetch.ts";
import { mount } from "../ui/mount.ts";
import { openLobby } from "./lobby-client.ts";
import { LobbyPage } from "./page.tsx";
import { lobbyStrings } from "./strings.ts";

const fetching = timelyFetch();

const client = openLobby({
  async ask(path) {
    const answer = await fetching(here(path), { cache: "no-store", redirect: "manual" });
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    return parseJson(new Uint8Array(await answer.arrayBuffer()));
  },
  after: (ms, callback) => void setTimeout(callback, ms),
});

void mount(<LobbyPage client={client} />, [lobbyStrings]);
