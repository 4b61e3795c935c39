/** A request that one server of a run passes to the one that leads it. */
export interface PassedRequest {
  readonly method: string;
  /** Path and query exactly as sent. */
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  /** The socket's other end, as the server saw it that the request came to. */
  readonly address: string;
  /** Whether it came to that server by HTTPS. */
  readonly encrypted: boolean;
  readonly body: Uint8Array<ArrayBuffer>;
}

export interface PassedAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  /** The run's version at the leader. */
  readonly version: number;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** How the servers of a run reach each other. */
export interface LeaderLine {
  /** Answers what others pass on to this server, until its store is closed. */
  answer(handler: (request: PassedRequest) => Promise<PassedAnswer>): void;
  /**
   * Has the server that leads answer. Rejects with a ProtocolError `not-durable` where none does: send it again. Waits
   * for a while where none leads, unless it is not to.
   */
  ask(request: PassedRequest, wait?: boolean): Promise<PassedAnswer>;
  /** The server that leads, for people; undefined where none does. */
  leader(): Promise<string | undefined>;
}
