import { JetStreamApiError } from "@nats-io/jetstream";
import { ProtocolError } from "../../protocol/errors.ts";
import { StoreError } from "./store.ts";

/** The node that leads a stream lacks a message of it, or has another. */
export class DamagedReplica extends StoreError {
  readonly stream: string;

  constructor(stream: string, line: string) {
    super(line);
    this.stream = stream;
  }
}

/** Whoever leads has archived a block since its place was read, and let go of it. */
export class LetGo extends StoreError {}

/** JetStream's own numbers (nats-server's errors.json): the tail was another, and a stream or a disk is full. */
const WRONG_LAST = new Set([10071, 10164]);
const FULL = new Set([10077, 10023, 10047]);
/** Milliseconds after which a sender may try again where a stream is full: an operator must make space. */
const RETRY_MS = 10_000;

/** JetStream's own number: there is no such stream. */
const NO_STREAM = 10059;

/** Whether a stream is not there. */
export const isNoStream = (error: unknown): boolean =>
  error instanceof JetStreamApiError && error.code === NO_STREAM;

/** Whether a conditional append found another tail than the one it named. */
export const isWrongLast = (error: unknown): boolean =>
  error instanceof JetStreamApiError && WRONG_LAST.has(error.code);

/** What JetStream has decided, as a refusal; undefined where nobody knows what became of a request. */
export function decidedAs(error: unknown): ProtocolError | undefined {
  if (!(error instanceof JetStreamApiError)) return undefined;
  if (FULL.has(error.code)) return new ProtocolError("no-space", "the cluster's stream is full", RETRY_MS);
  // 503 is said during an election, of what may yet be stored.
  if (error.status === 503) return undefined;
  return new ProtocolError("not-durable", `the cluster did not store it: ${error.message}`, RETRY_MS);
}
