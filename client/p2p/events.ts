import type { ChunkTerms } from "../../protocol/chunks.ts";
import type { Hash, PeerId } from "../../protocol/ids.ts";
import type { Message } from "./messages.ts";

/** An object, as the scheduler needs it. */
export type Shape = Pick<ChunkTerms, "hash" | "length" | "size">;

/** Where a chunk is asked: a peer, or the server of last resort. */
export type Source = PeerId | "server";

/** The scheduler's inputs. */
export type PeerEvent =
  /** Bring this object. */
  | { readonly type: "wanted"; readonly shape: Shape }
  /** This object is here whole, for any peer that asks. */
  | { readonly type: "held"; readonly shape: Shape }
  /** It is not wanted, or not here, any more. */
  | { readonly type: "dropped"; readonly object: Hash }
  /**
   * The server's introductions for an object: peers that have of it, how many share it (ourselves among them), and
   * how many of them have it whole.
   */
  | {
      readonly type: "introduced";
      readonly object: Hash;
      readonly peers: readonly PeerId[];
      readonly swarm: number;
      readonly holders: number;
    }
  | { readonly type: "opened"; readonly peer: PeerId }
  /** A connection ended, or did not come about. */
  | { readonly type: "closed"; readonly peer: PeerId }
  /** Anything but a piece: those make a `checked` when their chunk is whole. */
  | { readonly type: "heard"; readonly peer: PeerId; readonly message: Exclude<Message, { type: "piece" }> }
  /** It said what no peer says: a malformed frame, a piece nobody asked for. */
  | { readonly type: "misbehaved"; readonly peer: PeerId }
  /** A chunk came whole and was checked against its hash. */
  | {
      readonly type: "checked";
      readonly source: Source;
      readonly object: Hash;
      readonly chunk: number;
      readonly good: boolean;
    }
  /** The server did not give a chunk; after `wait` milliseconds it may be asked again. */
  | { readonly type: "unserved"; readonly object: Hash; readonly chunk: number; readonly wait: number }
  /** A chunk's last piece has left for the channel. */
  | { readonly type: "sent"; readonly peer: PeerId; readonly object: Hash; readonly chunk: number }
  /** Our network changed: who left may have been cut off by us. */
  | { readonly type: "moved" }
  /** The time that {@link Scheduler.wakeAt} named has come. */
  | { readonly type: "woke" };

/** The scheduler's outputs, carried out by the hub. */
export type Command =
  | { readonly type: "dial"; readonly peer: PeerId }
  | { readonly type: "close"; readonly peer: PeerId }
  | { readonly type: "send"; readonly peer: PeerId; readonly message: Message }
  /** Ask this peer for a chunk, and expect its pieces. */
  | { readonly type: "ask"; readonly peer: PeerId; readonly object: Hash; readonly chunk: number }
  /** Ask the server for a chunk. */
  | { readonly type: "fetch"; readonly object: Hash; readonly chunk: number }
  /** Send this peer a chunk's pieces; say `sent` when the channel has taken the last. */
  | { readonly type: "serve"; readonly peer: PeerId; readonly object: Hash; readonly chunk: number }
  /** Ask the server for peers that have of this object. */
  | { readonly type: "announce"; readonly object: Hash }
  /** A peer wants an object that is not here: bring it, if it can be made. */
  | { readonly type: "sought"; readonly object: Hash }
  /** Every chunk is here. */
  | { readonly type: "complete"; readonly object: Hash }
  /** This peer sent a chunk of another hash. */
  | { readonly type: "report"; readonly peer: PeerId; readonly object: Hash; readonly chunk: number };
