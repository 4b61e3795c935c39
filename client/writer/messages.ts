/** A page's messages to the writer's Worker. */
export type WriterCommand =
  /** Fetches (or takes from the cache) the newest weights of the server's run. */
  | { readonly type: "load"; readonly server: string }
  | { readonly type: "write"; readonly request: WriteRequest }
  /** Ends what is being written. */
  | { readonly type: "stop" };

export interface WriteRequest {
  readonly prompt: string;
  /** 0 always takes the likeliest token. */
  readonly temperature: number;
  readonly topK: number;
  readonly seed: number;
  /** Tokens to write at most. */
  readonly length: number;
}

/** The Worker's messages to the page. */
export type WriterReport =
  | { readonly type: "downloading"; readonly bytes: number; readonly total: number }
  | { readonly type: "ready"; readonly version: number; readonly vocabulary: number }
  /** All that was written so far. */
  | {
      readonly type: "text";
      readonly text: string;
      readonly tokens: number;
      readonly next: readonly Likely[];
    }
  | { readonly type: "done"; readonly tokensPerSecond: number }
  | { readonly type: "failed"; readonly detail: string };

/** A candidate for the token that comes next. */
export interface Likely {
  readonly token: string;
  readonly probability: number;
}
