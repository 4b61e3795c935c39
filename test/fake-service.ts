import type { ChunkList } from "../protocol/chunks.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import { ProtocolError } from "../protocol/errors.ts";
import type { RunEvent } from "../protocol/events.ts";
import type { DeltaProof, VersionRecord } from "../protocol/history.ts";
import type {
  Hash,
  ObjectName,
  PersonId,
  RunId,
  Signature,
  TeamId,
  TicketId,
  VolunteerKey,
} from "../protocol/ids.ts";
import type { Manifest } from "../protocol/manifest.ts";
import type { PersonalData } from "../protocol/people.ts";
import type { Person } from "../protocol/person.ts";
import type { Receipt } from "../protocol/receipt.ts";
import type { AuditAnswer, AuditTicket } from "../protocol/shared-audit.ts";
import type { RunStatus } from "../protocol/status.ts";
import type { Ticket } from "../protocol/ticket.ts";
import type { Upload } from "../protocol/upload.ts";
import type { RunService } from "../server/run/service.ts";

export const HASH = "a".repeat(64) as Hash;
export const SHARD = "b".repeat(64) as Hash;
export const KEY = "k".repeat(43) as VolunteerKey;
export const RUN = "c".repeat(64) as RunId;

const MODEL = { layers: 1, heads: 1, width: 4, context: 8, vocabulary: 256 };

export const MANIFEST: Manifest = {
  protocol: 2,
  run: RUN,
  name: "test",
  operator: "tests",
  task: "language",
  model: MODEL,
  parameters: 10,
  server: KEY,
  tokenizer: HASH,
  optimizer: { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 },
  batch: 4,
  delta: { name: "dense", bits: 4 },
  residualDecay: 0.95,
  state: "running",
  version: 3,
  hash: HASH,
};

const STATUS: RunStatus = {
  protocol: 2,
  run: RUN,
  name: "test",
  operator: "tests",
  card: {},
  state: "running",
  version: 3,
  modelHash: HASH,
  model: MODEL,
  parameters: 10,
  heldOut: [],
  bytesPerToken: null,
  baselines: { uniform: 5.5, unigram: 4, bigram: 3 },
  tokensMerged: 0,
  tokenBudget: 1_000,
  tokensPerSecond: 0,
  volunteers: 0,
  deltas: { merged: 0, refused: {} },
  rounds: null,
  versions: [],
  questions: null,
  prompts: [],
  sample: null,
  samples: [],
};

const TOGETHER = { linked: 1, tokens: 2, recent: 1, merged: 2 };

export function ticketFor(volunteer: VolunteerKey, id: TicketId): Ticket {
  return {
    run: RUN,
    id,
    volunteer,
    version: 3,
    hash: HASH,
    shard: SHARD,
    window: 0,
    seed: 1,
    steps: 1,
    batch: 1,
    rates: [0.001],
    fresh: false,
    lease: 1_000,
    issued: 0,
    signature: "s".repeat(86) as Signature,
  };
}

/** A run for tests whose point is HTTP: it holds one of everything and writes down what reached it. */
export class FakeService implements RunService {
  readonly maxUploadBytes = 4_096;
  readonly refusals: ErrorCode[] = [];
  readonly uploads: Upload[] = [];
  /** Of each of them, its sender's network. */
  readonly networks: (string | undefined)[] = [];
  tickets = 0;
  /** Thrown by the next call that may throw. */
  failure: unknown;
  readonly listeners = new Set<(event: RunEvent) => void>();

  manifest = () => MANIFEST;
  status = () => {
    this.#fail();
    return STATUS;
  };
  tokenizer = () => new TextEncoder().encode('{"model":{}}');
  latestSnapshot = () => ({ hash: HASH, bytes: new Uint8Array([1, 2, 3]) });
  snapshot = async (hash: Hash) => this.#only(hash, HASH, [1, 2, 3]);
  diff = async (version: number, hash = HASH) => {
    if (version !== 2 || hash !== HASH) throw new ProtocolError("not-found", "no such diff");
    return new Uint8Array([4, 5]);
  };
  shard = async (hash: Hash) => this.#only(hash, SHARD, [6, 7, 8, 9]);
  chunks = async (object: ObjectName): Promise<ChunkList> => {
    if (!object.endsWith(SHARD)) throw new ProtocolError("not-found", "no such object");
    const signature = "s".repeat(86) as Signature;
    return { run: RUN, object, hash: SHARD, length: 4, size: 65_536, chunks: [HASH], signature };
  };
  versionRecord = async (version: number): Promise<VersionRecord> => {
    if (version !== 3) throw new ProtocolError("not-found", "no such version");
    const signature = "s".repeat(86) as Signature;
    const [previous, model, diff] = [HASH, HASH, HASH];
    return { run: RUN, version, previous, model, diff, step: {}, merged: [], signature };
  };
  proof = async (ticket: TicketId): Promise<DeltaProof> => {
    if (ticket.startsWith("x")) throw new ProtocolError("not-found", "in no version");
    return { record: await this.versionRecord(3), position: 0 };
  };
  credit = () => ({ tokens: 1, recent: 1, merged: 1, pending: 0, refused: 0 });
  leaders = () => [{ name: "Starling", tokens: 3, recent: 1 }];
  renamed: unknown[] = [];
  rename = async (volunteer: VolunteerKey, name: unknown) => {
    this.renamed.push([volunteer, name]);
    return typeof name === "string" ? name : undefined;
  };
  dataOf = (volunteer: VolunteerKey): PersonalData => ({
    ...{
      volunteer,
      name: null,
      page: null,
      team: null,
      credit: this.credit(),
      deltas: [],
      seen: null,
      notes: [],
    },
    ...{ linked: [], together: TOGETHER },
  });
  /** The page that everybody has, if any. */
  page: PersonId | undefined;
  setPage = async (_: VolunteerKey, wanted: boolean, drawn: PersonId) => {
    this.page = wanted ? drawn : undefined;
    return this.page;
  };
  pageOf = () => this.page;
  personsName = "Ann <b>";
  person = (id: PersonId): Person | undefined =>
    id === this.page
      ? { name: this.personsName, tokens: 1_234_567, recent: 1, merged: 2, keys: 1, deltas: [] }
      : undefined;
  joinTeam = async (_: VolunteerKey, name: unknown, drawn: TeamId) =>
    name === null ? undefined : { id: drawn, name: String(name) };
  teams = () => [];
  team = () => undefined;
  readonly links: unknown[] = [];
  link = async (volunteer: VolunteerKey, other: VolunteerKey | null) => {
    this.links.push([volunteer, other]);
    return TOGETHER;
  };
  readonly forgotten: VolunteerKey[] = [];
  forget = async (volunteer: VolunteerKey) => {
    this.forgotten.push(volunteer);
  };
  ticket = async (volunteer: VolunteerKey, nonce: TicketId) => {
    this.#fail();
    this.tickets++;
    return ticketFor(volunteer, nonce);
  };
  /** The next audit that is asked for. */
  nextAudit: AuditTicket | undefined;
  readonly auditAnswers: AuditAnswer[] = [];
  /** Of each who was asked about, its network. */
  readonly auditors: (string | undefined)[] = [];
  audit = async (_volunteer: VolunteerKey, from?: string) => {
    this.auditors.push(from);
    const { nextAudit } = this;
    this.nextAudit = undefined;
    return nextAudit;
  };
  auditedDelta = (frame: Hash) => this.#only(frame, HASH, [1, 2, 3]);
  answerAudit = (_volunteer: VolunteerKey, answer: AuditAnswer) => {
    this.#fail();
    this.auditAnswers.push(answer);
  };
  accept = async (
    volunteer: VolunteerKey,
    nonce: TicketId,
    upload: Upload,
    from?: string,
  ): Promise<Receipt> => {
    this.#fail();
    this.uploads.push(upload);
    this.networks.push(from);
    const signature = "s".repeat(86) as Signature;
    return { run: RUN, ticket: nonce, volunteer, delta: HASH, version: 3, tokens: 8, accepted: 1, signature };
  };
  countRefusal = (code: ErrorCode) => {
    this.refusals.push(code);
  };
  subscribe = (listener: (event: RunEvent) => void) => {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  };

  emit(event: RunEvent): void {
    for (const listener of this.listeners) listener(event);
  }

  #fail(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  #only(asked: Hash, held: Hash, bytes: number[]): Uint8Array<ArrayBuffer> {
    if (asked !== held) throw new ProtocolError("not-found", "not here");
    return new Uint8Array(bytes);
  }
}
