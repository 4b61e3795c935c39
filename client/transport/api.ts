import type { RunEvent } from "../../protocol/events.ts";
import type { Identity } from "../../protocol/identity.ts";
import type { Hash, TicketId, VolunteerKey } from "../../protocol/ids.ts";
import type { Manifest } from "../../protocol/manifest.ts";
import type { Pace } from "../../protocol/pace.ts";
import type { Receipt } from "../../protocol/receipt.ts";
import type { AuditAnswer, AuditTicket } from "../../protocol/shared-audit.ts";
import type { VolunteerCredit } from "../../protocol/status.ts";
import type { Ticket } from "../../protocol/ticket.ts";

/**
 * The server, as a volunteer uses it. Every call may throw the server's ProtocolError, {@link ServerAway} when
 * nothing of ours answered, {@link WrongBytes} when what came is not what was asked for, or the signal's
 * reason. Bodies named by a hash have that hash when they are returned.
 */
export interface Api {
  manifest(call?: Call): Promise<Manifest>;
  /** The bytes of tokenizer.json. */
  tokenizer(manifest: Manifest, call?: Call): Promise<Uint8Array<ArrayBuffer>>;
  /** A version's safetensors file. */
  snapshot(hash: Hash, parameters: number, call?: Call): Promise<Uint8Array<ArrayBuffer>>;
  /** The frame that leads from `version` to the next, not yet decoded. */
  diff(version: number, parameters: number, call?: Call): Promise<Uint8Array<ArrayBuffer>>;
  /** A shard's u16 tokens as bytes. */
  shard(hash: Hash, call?: Call): Promise<Uint8Array<ArrayBuffer>>;
  /** Asks for work that suits this pace: an audit only where the wish says that these are made too. */
  ticket(identity: Identity, wish: Wish, call?: Call): Promise<Ticket | AuditTicket>;
  /** The delta of an audit: a frame of that hash and this many bytes. */
  auditedDelta(audit: Pick<AuditTicket, "frame" | "bytes">, call?: Call): Promise<Uint8Array<ArrayBuffer>>;
  /** Answers an audit. */
  answerAudit(identity: Identity, answer: AuditAnswer, call?: Call): Promise<void>;
  /** Sends an upload; sending the same one again is safe and gives the same receipt. */
  upload(identity: Identity, ticket: TicketId, body: Uint8Array<ArrayBuffer>, call?: Call): Promise<Receipt>;
  credit(volunteer: VolunteerKey, call?: Call): Promise<VolunteerCredit>;
  /** The run's events as they happen; ends when the server ends it. */
  events(call?: Call): AsyncIterable<RunEvent>;
}

export interface Wish extends Pace {
  readonly audits?: true;
}

export interface Call {
  readonly signal?: AbortSignal;
  /** Hears the bytes so far and how many are expected. */
  readonly progress?: (bytes: number, total: number) => void;
}
