import type { ChunkList } from "../../protocol/chunks.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import type { RunEvent } from "../../protocol/events.ts";
import type { DeltaProof, VersionRecord } from "../../protocol/history.ts";
import type { Hash, ObjectName, PersonId, TeamId, TicketId, VolunteerKey } from "../../protocol/ids.ts";
import type { Together } from "../../protocol/link.ts";
import type { Manifest } from "../../protocol/manifest.ts";
import type { Pace } from "../../protocol/pace.ts";
import type { Leader, PersonalData } from "../../protocol/people.ts";
import type { Person } from "../../protocol/person.ts";
import type { Receipt } from "../../protocol/receipt.ts";
import type { AuditAnswer, AuditTicket } from "../../protocol/shared-audit.ts";
import type { RunStatus, VolunteerCredit } from "../../protocol/status.ts";
import type { Team, TeamSum } from "../../protocol/team.ts";
import type { Ticket } from "../../protocol/ticket.ts";
import type { Upload } from "../../protocol/upload.ts";

/** What the routes need of a run. Every method that refuses throws a ProtocolError. */
export interface RunService {
  manifest(): Manifest;
  status(): RunStatus;
  /** tokenizer.json. */
  tokenizer(): Uint8Array<ArrayBuffer>;
  /** The current version as safetensors bytes, and their hash. */
  latestSnapshot(): { readonly hash: Hash; readonly bytes: Uint8Array<ArrayBuffer> };
  snapshot(hash: Hash): Promise<Uint8Array<ArrayBuffer>>;
  /** The frame that leads from `version` to `version + 1`; `not-found` where `hash` is another's. */
  diff(version: number, hash?: Hash): Promise<Uint8Array<ArrayBuffer>>;
  /** A train shard's u16 tokens; gate and held-out text are `not-found` here. */
  shard(hash: Hash): Promise<Uint8Array<ArrayBuffer>>;
  /** The signed list of an object's chunks. Throws `not-found` where the object is not served. */
  chunks(object: ObjectName): Promise<ChunkList>;
  /** A version's signed record. Throws `not-found`. */
  versionRecord(version: number): Promise<VersionRecord>;
  /** That a ticket's delta is in a version. Throws `not-found` while it is in none. */
  proof(ticket: TicketId): Promise<DeltaProof>;
  credit(volunteer: VolunteerKey): VolunteerCredit;
  /** Volunteers who gave themselves a name, most credit first. */
  leaders(): readonly Leader[];
  /** Sets a volunteer's name (null: none), and returns it as it is kept. Throws `bad-request`, `banned`. */
  rename(volunteer: VolunteerKey, name: unknown): Promise<string | undefined>;
  /** Gives a named volunteer a page under this id, keeps the one that it has, or takes it away. Throws `bad-request`. */
  setPage(volunteer: VolunteerKey, wanted: boolean, drawn: PersonId): Promise<PersonId | undefined>;
  pageOf(volunteer: VolunteerKey): PersonId | undefined;
  /** What a person's page shows, where there is one. */
  person(id: PersonId): Person | undefined;
  /**
   * Puts a volunteer into the team of that name, which begins as `drawn`, or with null into none. Throws `bad-request`,
   * `banned`, `no-space`.
   */
  joinTeam(
    volunteer: VolunteerKey,
    name: unknown,
    drawn: TeamId,
  ): Promise<{ readonly id: TeamId; readonly name: string } | undefined>;
  teams(): readonly TeamSum[];
  team(id: TeamId): Team | undefined;
  /**
   * Makes two keys one person's; both have signed that. With null the first is linked with none any more. Throws
   * `bad-request`, `banned`, `no-space`.
   */
  link(volunteer: VolunteerKey, other: VolunteerKey | null): Promise<Together>;
  /** All that the server holds about a volunteer, to be read by them. */
  dataOf(volunteer: VolunteerKey): PersonalData;
  /** Drops of that what can be dropped. */
  forget(volunteer: VolunteerKey): Promise<void>;
  /** Leases work to a volunteer, unless it is `gone` when its turn comes. Throws `run-paused`, `run-finished`, `no-work`. */
  ticket(volunteer: VolunteerKey, nonce: TicketId, pace: Pace, gone: () => boolean): Promise<Ticket>;
  /**
   * The audit that a volunteer which agreed to them was drawn for, if any; else it gets a ticket. `from` names its network,
   * where it is known.
   */
  audit(volunteer: VolunteerKey, from?: string): Promise<AuditTicket | undefined>;
  /** The frame of an audit that is open. Throws `not-found`. */
  auditedDelta(frame: Hash): Uint8Array<ArrayBuffer>;
  /** Takes an auditor's answer. Throws `audit-over`, `audit-answered`, `not-your-audit`. */
  answerAudit(volunteer: VolunteerKey, answer: AuditAnswer): void;
  /** Largest body that {@link accept} takes, in bytes. */
  readonly maxUploadBytes: number;
  /**
   * Checks an upload whose request signature `volunteer` made, makes it durable, and only then resolves. The
   * same upload again gets the same receipt. `from` names the sender's network, where it is known.
   */
  accept(volunteer: VolunteerKey, nonce: TicketId, upload: Upload, from?: string): Promise<Receipt>;
  /** Counts a refusal that happened at the edge, for the status page. */
  countRefusal(code: ErrorCode): void;
  /** Calls back on every event; returns the way to stop. */
  subscribe(listener: (event: RunEvent) => void): () => void;
}
