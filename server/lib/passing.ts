import { utf8 } from "../../protocol/bytes.ts";
import { ERROR_STATUS, ProtocolError } from "../../protocol/errors.ts";
import { retryAfter } from "./retry-after.ts";

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
  /** By which its sender is said to have left; absent where nobody looks. */
  readonly id?: string;
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
  /**
   * Answers what others pass on to this server, until its store is closed. `sender` names the edge that passes it on, and
   * `left` aborts once whoever asked has hung up there. What the handler throws is the answer.
   */
  answer(handler: (request: PassedRequest, sender: string, left: AbortSignal) => Promise<PassedAnswer>): void;
  /**
   * Has the server that leads answer. Rejects with a ProtocolError `not-durable` where none does: send it again. Waits
   * for a while where none leads, unless it is not to. Once `left` aborts nobody reads the answer: that server hears it, and
   * may answer sooner.
   */
  ask(request: PassedRequest, wait?: boolean, left?: AbortSignal): Promise<PassedAnswer>;
  /** The server that leads, for people; undefined where none does. */
  leader(): Promise<string | undefined>;
  /** Tells the run's other servers what they need to answer by themselves. Nobody stores it. */
  tell(beat: Omit<LeaderBeat, "from">): void;
  /** Hears what the server that leads tells, until the store is closed. */
  hear(listener: (beat: LeaderBeat) => void): void;
}

/** What a server that leads says of itself twice a second. */
export interface LeaderBeat {
  /** Names the server among all that ever lead. */
  readonly from: string;
  /** The run clock, ms. */
  readonly clock: number;
  /** By which networks are named (net/network.ts): the same at all servers, and never on a disk. */
  readonly networkKey: Uint8Array<ArrayBuffer>;
}

/** The answer to a request that was refused before any route saw it. It names no version, so that nobody waits for one. */
export function refusalOf(why: unknown): PassedAnswer {
  const error =
    why instanceof ProtocolError
      ? why
      : new ProtocolError("internal-error", "the request cannot be passed on");
  const { retryAfterMs } = error;
  return {
    status: ERROR_STATUS[error.code],
    headers: [
      ["content-type", "application/json; charset=utf-8"],
      ...(retryAfterMs === undefined ? [] : [["retry-after", retryAfter(retryAfterMs)] as const]),
    ],
    version: 0,
    body: utf8(JSON.stringify(error.body())),
  };
}
