import type { DeviceName } from "../../model/contract/trainer.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import type { Hash, TicketId, VolunteerKey } from "../../protocol/ids.ts";
import type { Intermediary } from "../../protocol/intermediary.ts";
import type { Manifest } from "../../protocol/manifest.ts";
import type { VolunteerCredit } from "../../protocol/status.ts";
import type { WhyUnable } from "./device/platform.ts";
import type { DeviceFound, Probing } from "./device/probed-trainers.ts";

/** The page's messages to the trainer's Worker. */
export type Command =
  /**
   * Begins. `server` is an origin; `device` overrides the probe; `share` is the part of the time to train, (0, 1];
   * `site` is the origin of the page that frames this one.
   */
  | {
      readonly type: "start";
      readonly server: string;
      readonly device?: DeviceName;
      readonly share: number;
      readonly site?: string;
      /** The visitor agreed to peers: a `peers` command is about to come. */
      readonly peers?: boolean;
    }
  /** The way to peers by the page (client/p2p/bridge.ts); without a port, there is none any more. */
  | { readonly type: "peers"; readonly port?: MessagePort }
  | { readonly type: "share"; readonly share: number }
  /**
   * Takes effect within one inner step. What is done of a ticket on a clock is sent then, unless the pause saves data. Any other
   * ticket goes on where it was on `resume`, while its lease lasts.
   */
  | { readonly type: "pause"; readonly why: PauseReason }
  | { readonly type: "resume" }
  /** Asks for a look inside, now; the Worker answers with an `inside` and a `delta` report as far as it can. */
  | { readonly type: "look" }
  /** Ends within one inner step and frees the memory. The Worker answers `stopped`. */
  | { readonly type: "stop" };

/** Why training rests. Every reason has one plain line in the page's catalogue. */
export type PauseReason =
  | "visitor"
  | "hidden"
  | "battery"
  | "saver"
  | "heat"
  | "schedule"
  | "budget"
  | "site"
  | "other-tab";

/** Where the round loop is. The page has one plain line for each. */
export type Phase =
  | { readonly phase: "starting" }
  /** Trying devices, about two seconds. */
  | Probing
  | {
      readonly phase: "downloading";
      readonly what: "weights" | "text" | "change";
      readonly bytes: number;
      readonly total: number;
    }
  /** The server was asked for a ticket, and answers when this browser's turn has come. */
  | { readonly phase: "queued" }
  | { readonly phase: "training" }
  /** A delta of somebody else's is measured for the server. */
  | { readonly phase: "auditing" }
  | { readonly phase: "sending"; readonly bytes: number }
  /** The server has no work just now. */
  | { readonly phase: "waiting"; readonly forMs: number }
  /** A check found work of this browser's bad, and the server takes none for so long; then the loop goes on. */
  | { readonly phase: "quarantined"; readonly forMs: number }
  /** The operator has banned this browser's key, perhaps until it is forgiven; the loop asks again. */
  | { readonly phase: "banned"; readonly forMs: number }
  /** The server does not answer, or another does in its place; the loop tries again with jitter. */
  | { readonly phase: "away"; readonly forMs: number; readonly why?: Intermediary }
  | { readonly phase: "paused"; readonly why: PauseReason | "operator" }
  | { readonly phase: "finished" }
  /** This device or page cannot; `why` is one of the catalogue's reasons. */
  | { readonly phase: "unable"; readonly why: UnableReason; readonly detail: string }
  | { readonly phase: "stopped" };

export type UnableReason = WhyUnable["why"] | "no-device" | "protocol" | "failed";

/** Parts of the Worker that come later: what turns tokens into words, and what looks inside the model. */
export type WorkerPart = "tokenizer" | "inside";

/** The Worker's messages to the page. */
export type Report =
  | { readonly type: "phase"; readonly phase: Phase }
  | { readonly type: "run"; readonly manifest: Manifest; readonly volunteer: VolunteerKey }
  | DeviceFound
  /** After each inner step whose loss was read. */
  | {
      readonly type: "step";
      readonly step: number;
      readonly steps: number;
      readonly loss: number;
      readonly tokensPerSecond: number;
    }
  /** Once a ticket: a passage just sampled for training, and the model's guesses within it. */
  | { readonly type: "passage"; readonly passage: Passage }
  | { readonly type: "inside"; readonly inside: Inside }
  | { readonly type: "delta"; readonly delta: DeltaPicture }
  /** A delta has its receipt; `version` is its ticket's. With ticket and hash the page can ask for its proof. */
  | {
      readonly type: "sent";
      readonly bytes: number;
      readonly version: number;
      readonly tokens: number;
      readonly ticket: TicketId;
      readonly delta: Hash;
    }
  /** Code that the Worker fetches when it needs it did not come, or came after all. */
  | { readonly type: "missing"; readonly part: WorkerPart; readonly missing: boolean }
  | { readonly type: "refused"; readonly code: ErrorCode; readonly message: string }
  | { readonly type: "credit"; readonly credit: VolunteerCredit }
  /** Bytes since the Worker started. */
  | { readonly type: "traffic"; readonly down: number; readonly up: number };

/** A piece of the training text as tokens' text, with what the model would have written next. */
export interface Passage {
  readonly version: number;
  /** Decoded tokens of the text, in order. */
  readonly tokens: readonly string[];
  /** For the token at `at`, the likeliest guesses before it was seen, best first. */
  readonly guesses: readonly {
    readonly at: number;
    readonly best: readonly Guess[];
    readonly truth: Guess;
  }[];
}

export interface Guess {
  readonly token: string;
  readonly probability: number;
}

/** The model's inner values while it reads the newest passage, computed when the page asks for them. */
export interface Inside {
  readonly version: number;
  readonly layers: number;
  readonly heads: number;
  /** Numbers in an embedding. */
  readonly width: number;
  /** The first tokens of the passage: their text and their ids. */
  readonly tokens: readonly string[];
  readonly ids: readonly number[];
  /** [layers, heads, T, T] in 255ths: how much of its attention a token (row) gives each one up to it. */
  readonly attention: Uint8Array;
  /** x and y of every token's embedding along the two directions of most difference, within ±1. */
  readonly map: Float32Array;
  /** The part of all differences that those two directions show. */
  readonly mapShows: number;
  /** Every mapped token's text. */
  readonly names: readonly string[];
  /** For each token id of the passage, the tokens with the most similar embeddings. */
  readonly nearest: Readonly<Record<number, readonly string[]>>;
}

/** One delta as it was sent. */
export interface DeltaPicture {
  /** Bytes as sent, and what the bare f32 numbers would be. */
  readonly bytes: number;
  readonly plainBytes: number;
  readonly parameters: number;
  /** Weights that it changes at all. */
  readonly changed: number;
  /** Inner steps it sums up. */
  readonly steps: number;
  /** Its norm over the weights' norm. */
  readonly ratio: number;
  /** The largest change of one weight, either way. */
  readonly largest: number;
  /** How many weights change by how much, from −largest to +largest. */
  readonly bars: readonly number[];
}
