import { effect, type ReadonlySignal, signal, untracked } from "@preact/signals";
import type { Manifest } from "../../../protocol/manifest.ts";
import { fetchPart } from "../../ui/fetch-part.ts";
import type { Session } from "./session.ts";
import type { TrainerHandle } from "./worker-client.ts";

/** The state of sharing with other visitors, for the page; `missing` where its code did not load. */
export type SharingState = Shared | "missing";

interface Shared {
  readonly connected: number;
  /** Bytes from and to other visitors since the page was opened. */
  readonly down: number;
  readonly up: number;
}

/** As much of client/p2p/share.ts as the page needs. */
export type OpenSharing = (options: {
  readonly server: string;
  readonly manifest: Manifest;
  readonly traffic: (down: number, up: number) => void;
}) => Promise<{ readonly hub: { readonly connected: number }; readonly port: MessagePort; close(): void }>;

/** PeerJS and all that goes with it is fetched only now, after the visitor's consent. */
const openLazily: OpenSharing = async (options) => {
  const { openSharing } = await fetchPart(() => import("../../p2p/share.ts"));
  const { posts } = await fetchPart(() => import("./posts.ts"));
  return openSharing({ ...options, posts });
};

const LOOK_MS = 1_000;

/**
 * Shares while the visitor trains and agrees to that too; nothing of it is loaded, and no other visitor's browser
 * contacted, before. Undefined while nothing is shared.
 */
export function createSharing(
  trainer: Pick<TrainerHandle, "alive" | "manifest" | "connect">,
  session: Pick<Session, "agreed" | "choices">,
  server: string,
  open = openLazily,
): ReadonlySignal<SharingState | undefined> {
  const state = signal<SharingState | undefined>(undefined);
  let down = 0;
  let up = 0;
  const traffic = (moreDown: number, moreUp: number) => {
    down += moreDown;
    up += moreUp;
  };

  effect(() => {
    const manifest = trainer.manifest.value;
    const willing = session.agreed.value && session.choices.value.withPeers && trainer.alive.value;
    if (!willing || manifest?.peers === undefined) return undefined;
    let over = false;
    let end = () => {};
    const begin = async () => {
      const sharing = await open({ server, manifest, traffic });
      if (over) {
        sharing.close();
        return;
      }
      trainer.connect(sharing.port);
      const look = () => {
        state.value = { connected: sharing.hub.connected, down, up };
      };
      const looking = setInterval(look, LOOK_MS);
      look();
      end = () => {
        clearInterval(looking);
        sharing.close();
      };
    };
    // Without the code for it, e.g. off line, the trainer goes on by the server alone.
    const alone = () => {
      trainer.connect(undefined);
      if (!over) state.value = "missing";
    };
    untracked(() => begin().catch(alone));
    return () => {
      over = true;
      end();
      trainer.connect(undefined);
      state.value = undefined;
    };
  });
  return state;
}
