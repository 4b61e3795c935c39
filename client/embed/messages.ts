/**
 * Messages between the loader on a host page and the volunteer's frame, by postMessage. Each side checks
 * the other's window and origin first. Nothing here can begin training: only a click within the frame can.
 * Types only, so that the loader carries no byte of it.
 */
export type ToFrame =
  /** The first word, in answer to `ready`: how the site wants it. */
  | {
      readonly murmuration: 1;
      readonly type: "setup";
      readonly theme: Theme;
      /** The part of the time to train, until the visitor chooses another. */
      readonly share: number;
      /** Bytes a visitor's traffic may take in a day on this site; null for no bound. */
      readonly budget: number | null;
      /** The site's `lang` for a visitor who has not chosen; null or missing where it has none. */
      readonly language?: string | null;
      /** Whether the model is to write for visitors who ask it: not at all, on a button, or at once, for one was pressed. */
      readonly ask?: AskWish | undefined;
    }
  /** Goes on after the site's own pause. A visitor's pause is the visitor's to end. */
  | { readonly murmuration: 1; readonly type: "resume" }
  | { readonly murmuration: 1; readonly type: "pause" }
  | { readonly murmuration: 1; readonly type: "stop" }
  /** Withdraws the visitor's consent and clears what this browser keeps of the run for this site. */
  | { readonly murmuration: 1; readonly type: "revoke" };

export type FromFrame =
  /** The frame has loaded and listens. */
  | { readonly murmuration: 1; readonly type: "ready" }
  | ({ readonly murmuration: 1; readonly type: "consent" } & SwarmEvents["consent"])
  | ({ readonly murmuration: 1; readonly type: "state" } & SwarmEvents["state"])
  | ({ readonly murmuration: 1; readonly type: "step" } & SwarmEvents["step"])
  | ({ readonly murmuration: 1; readonly type: "credit" } & SwarmEvents["credit"])
  | ({ readonly murmuration: 1; readonly type: "error" } & SwarmEvents["error"])
  /** It has ended, by the visitor's hand or the site's: the frame can go. */
  | { readonly murmuration: 1; readonly type: "stopped" }
  /** Consent and storage are gone. */
  | { readonly murmuration: 1; readonly type: "revoked" };

export type AskWish = "offered" | "now";

export type Theme = "light" | "dark" | "auto";

/** The details of the element's events, by the event's name. */
export interface SwarmEvents {
  /** The visitor said yes or no in the frame, or withdrew a yes. */
  readonly consent: { readonly given: boolean };
  /** Where the volunteer is, e.g. "asking", "training", "paused"; `line` is one plain sentence for it. */
  readonly state: { readonly state: string; readonly line: string };
  /** A training step was taken. */
  readonly step: { readonly step: number; readonly steps: number; readonly loss: number };
  /** Tokens sent on this page, and those merged into the model so far. */
  readonly credit: { readonly sent: number; readonly merged: number };
  /** Training is not possible here, and why. */
  readonly error: { readonly detail: string };
  /** The frame could not be loaded: a policy, a blocker, a site that is not allowed, plain HTTP, or a sandbox. Comes once. */
  readonly blocked: { readonly reason: "policy" | "timeout" | "insecure" | "sandboxed" };
}

/** The result of {@link SwarmElement.status}. */
export interface SwarmStatus {
  /** "idle" before the visitor opened it; then as in the `state` event. */
  readonly state: string;
  readonly line: string;
  readonly loss: number | null;
  readonly sent: number;
  readonly merged: number;
}

/** `<murmuration-swarm>`. */
export interface SwarmElement extends HTMLElement {
  /** Opens the volunteer: it asks the visitor unless they agreed before; goes on after {@link pause}. */
  start(): void;
  pause(): void;
  /** Ends training and takes the frame away. */
  stop(): void;
  /** Ends training, withdraws consent and clears storage; resolves when that is done, or cannot be. */
  revoke(): Promise<void>;
  status(): SwarmStatus;
}
