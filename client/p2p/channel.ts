import type { PeerId } from "../../protocol/ids.ts";

/** One open data channel, as little of it as sharing needs: ordered, reliable, whole frames. */
export interface Channel {
  send(frame: Uint8Array<ArrayBuffer>): void;
  /** Bytes handed over that have not left yet. */
  readonly buffered: number;
  /** Calls back once, when few bytes are waiting. */
  whenLow(callback: () => void): void;
  close(): void;
}

/** Opens channels; the hub (hub.ts) is called with the outcome. */
export interface Network {
  dial(peer: PeerId): void;
  /** Closes a channel, or gives up opening it. */
  hangUp(peer: PeerId): void;
}

/** Bytes waiting in a channel above which nothing more is handed over: a quarter second at 8 Mbit/s. */
export const BUFFER_HIGH = 256 * 1024;
/** Bytes waiting in a channel below which sending goes on. */
export const BUFFER_LOW = 64 * 1024;
