/**
 * What the loader on a host page and the volunteer's frame say to each other by postMessage. Each side checks
 * the other's window and origin first. Types only, so that the loader carries no byte of it.
 */
export type ToFrame = {
  readonly murmuration: 1;
  /** The visitor agreed in the loader's panel. */
  readonly type: "begin";
  readonly share: number;
  readonly theme: Theme;
};

export type FromFrame =
  /** The frame has loaded and listens. */
  | { readonly murmuration: 1; readonly type: "ready" }
  /** For the host page's own use: where the loop is, and what this visit has trained on. */
  | { readonly murmuration: 1; readonly type: "state"; readonly phase: string; readonly tokens: number }
  /** The visitor stopped it: the frame can go. */
  | { readonly murmuration: 1; readonly type: "stopped" };

export type Theme = "light" | "dark" | "auto";
