import type { Api, Call, Wish } from "../../client/transport/api.ts";
import { bytesOf, toBase64Url } from "../../protocol/bytes.ts";
import { DENSE2, DENSE4 } from "../../protocol/codec/codec.ts";
import { type ErrorCode, ProtocolError } from "../../protocol/errors.ts";
import type { RunEvent } from "../../protocol/events.ts";
import { decodeFrame, encodeFrame } from "../../protocol/frame.ts";
import { createIdentity, type Identity, sha256 } from "../../protocol/identity.ts";
import { type Hash, isRunId, isTicketId, type RunId, type TicketId } from "../../protocol/ids.ts";
import type { Manifest, RunState } from "../../protocol/manifest.ts";
import { unpackFrame } from "../../protocol/packed-frame.ts";
import { type Receipt, signReceipt } from "../../protocol/receipt.ts";
import {
  type AuditAnswer,
  type AuditTerms,
  type AuditTicket,
  signAudit,
} from "../../protocol/shared-audit.ts";
import { signTicket, type Ticket, type TicketTerms, verifyTicket } from "../../protocol/ticket.ts";
import { decodeUpload, type Upload, uploadTokens } from "../../protocol/upload.ts";
import { TARGET, toyFile } from "./toy-trainer.ts";

/** Everything {@link ToyServer} answers. */
export type Route = Exclude<keyof Api, "tokenizer" | "events">;

/**
 * A server in memory, with real signatures, frames, diffs and receipts, that publishes a version for each
 * delta. `before` runs ahead of every answer and may throw; `after` runs when the work is done and the answer
 * is on its way, and may throw too: a lost answer.
 */
export class ToyServer implements Api {
  readonly versions: { readonly weights: Float32Array<ArrayBuffer>; readonly hash: Hash }[] = [];
  readonly diffs: Uint8Array<ArrayBuffer>[] = [];
  readonly shards = new Map<Hash, Uint8Array<ArrayBuffer>>();
  readonly asked: Route[] = [];
  readonly uploads: Upload[] = [];
  /** How many deltas wait, as its next answers about credit say; then none. */
  readonly pending: number[] = [];
  /** What volunteers said of themselves. */
  readonly paces: Wish[] = [];
  readonly receipts = new Map<TicketId, Receipt>();
  /** Whether deltas, in two bits then, may come packed. */
  packed = false;
  /** Whether its volunteers make audits, their frames, and what came of them. */
  audits = false;
  readonly frames = new Map<Hash, Uint8Array<ArrayBuffer>>();
  readonly audited: AuditAnswer[] = [];
  #audit: (Omit<AuditTerms, "volunteer"> & Partial<AuditTerms>) | undefined;
  state: RunState = "running";
  /** What the next tickets say differently. */
  terms: Partial<TicketTerms> = {};
  before: (route: Route) => void | Promise<void> = () => undefined;
  after: (route: Route) => void | Promise<void> = () => undefined;
  readonly #identity: Identity;
  readonly run: RunId;
  #nonce = 0;
  /** One version after another, whoever brings it about. */
  #moved: Promise<void> = Promise.resolve();

  private constructor(identity: Identity, run: RunId) {
    this.#identity = identity;
    this.run = run;
  }

  static async open(name = "toy"): Promise<ToyServer> {
    const run: string = await sha256(new TextEncoder().encode(name));
    if (!isRunId(run)) throw new TypeError("a hash is a run's id");
    const server = new ToyServer(await createIdentity(), run);
    await server.publish(new Float32Array(TARGET.length));
    const shard = bytesOf(Uint16Array.from({ length: 200 }, (_, i) => i));
    server.shards.set(await sha256(shard), shard);
    return server;
  }

  get version(): number {
    return this.versions.length - 1;
  }

  get weights(): Float32Array<ArrayBuffer> {
    return this.versions[this.version]!.weights;
  }

  /** Signs a receipt's terms anew, whatever they say. */
  sign({ signature: _, ...terms }: Receipt): Promise<Receipt> {
    return signReceipt(this.#identity.privateKey, terms);
  }

  /** Publishes weights as they are, as the next version. */
  async publish(weights: Float32Array<ArrayBuffer>): Promise<void> {
    this.versions.push({ weights, hash: await sha256(toyFile.write(weights)) });
  }

  /** Publishes the newest version moved by a vector, and its diff. */
  move(change: Float32Array): Promise<void> {
    this.#moved = this.#moved.then(() => this.#move(change));
    return this.#moved;
  }

  async #move(change: Float32Array): Promise<void> {
    const diff = encodeFrame(DENSE4, change);
    const decoded = decodeFrame(diff, change.length);
    this.diffs[this.version] = diff;
    await this.publish(this.weights.map((weight, i) => weight + decoded[i]!));
  }

  async #answer<T>(route: Route, answer: () => T | Promise<T>): Promise<T> {
    this.asked.push(route);
    await this.before(route);
    const result = await answer();
    await this.after(route);
    return result;
  }

  manifest = () =>
    this.#answer(
      "manifest",
      (): Manifest => ({
        protocol: 2,
        run: this.run,
        name: "toy",
        operator: "the tests",
        task: "language",
        model: { layers: 1, heads: 1, width: 1, context: 4, vocabulary: 256 },
        parameters: TARGET.length,
        server: this.#identity.key,
        tokenizer: this.versions[0]!.hash,
        optimizer: { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0, clip: 1 },
        batch: 4,
        delta: this.#delta,
        ...(this.packed && { packed: true }),
        residualDecay: 0.5,
        ...(this.audits && { audits: true }),
        state: this.state,
        version: this.version,
        hash: this.versions[this.version]!.hash,
      }),
    );

  get #delta() {
    return this.packed ? DENSE2 : DENSE4;
  }

  tokenizer = () => refuse("not-found");

  snapshot = (hash: Hash) =>
    this.#answer("snapshot", () => {
      const found = this.versions.find((version) => version.hash === hash);
      return found ? toyFile.write(found.weights) : refuse("not-found");
    });

  diff = (version: number) => this.#answer("diff", () => this.diffs[version] ?? refuse("not-found"));

  shard = (hash: Hash) => this.#answer("shard", () => this.shards.get(hash) ?? refuse("not-found"));

  /** The audit of a delta on these weights, for the next volunteer that makes audits. */
  async audit(delta: Float32Array<ArrayBuffer>, changes: Partial<AuditTerms> = {}): Promise<void> {
    const frame = encodeFrame(DENSE4, delta);
    const [shard] = [...this.shards.keys()];
    const { run, version } = this;
    this.frames.set(await sha256(frame), frame);
    this.#audit = {
      ...{ run, id: nonce(this.#nonce++), version, hash: this.versions[version]!.hash },
      ...{ shard: shard!, window: 0, seed: 1, steps: 3, done: 3, batch: 2, rates: [], fresh: false },
      ...{ delta: DENSE4, frame: await sha256(frame), bytes: frame.length, other: shard!, draw: 5 },
      ...{ batches: 1, lease: 60_000, issued: 0, ...changes },
    };
  }

  auditedDelta = ({ frame }: Pick<AuditTerms, "frame">) =>
    this.#answer("auditedDelta", () => this.frames.get(frame) ?? refuse("not-found"));

  answerAudit = (_identity: Identity, answer: AuditAnswer) =>
    this.#answer("answerAudit", () => void this.audited.push(answer));

  ticket = (identity: Identity, pace: Wish): Promise<Ticket | AuditTicket> =>
    this.#answer<Ticket | AuditTicket>("ticket", () => {
      this.paces.push(pace);
      const audit = pace.audits && this.#audit;
      if (audit !== undefined) {
        this.#audit = undefined;
        return signAudit(this.#identity.privateKey, { volunteer: identity.key, ...audit });
      }
      if (this.state === "paused") return refuse("run-paused");
      if (this.state === "finished") return refuse("run-finished");
      return signTicket(this.#identity.privateKey, {
        run: this.run,
        id: nonce(this.#nonce++),
        volunteer: identity.key,
        version: this.version,
        hash: this.versions[this.version]!.hash,
        shard: [...this.shards.keys()][0]!,
        window: 0,
        seed: 1,
        steps: 3,
        batch: 2,
        rates: [0.1, 0.1, 0.1],
        fresh: false,
        lease: 60_000,
        issued: 0,
        ...this.terms,
      });
    });

  upload = (_identity: Identity, id: TicketId, body: Uint8Array<ArrayBuffer>) =>
    this.#answer("upload", async () => {
      const again = this.receipts.get(id);
      if (again !== undefined) return again;
      const upload = decodeUpload(body);
      const { ticket } = upload;
      const frame = unpackFrame(upload.frame, TARGET.length, ticket.delta ?? this.#delta);
      if (!(await verifyTicket(this.#identity.key, ticket))) return refuse("bad-ticket");
      const delta = decodeFrame(frame, TARGET.length);
      const receipt = await signReceipt(this.#identity.privateKey, {
        run: this.run,
        ticket: id,
        volunteer: ticket.volunteer,
        delta: await sha256(frame),
        version: ticket.version,
        tokens: uploadTokens(upload, 4),
        accepted: 0,
      });
      this.receipts.set(id, receipt);
      this.uploads.push(upload);
      await this.move(delta.map((value) => -value));
      return receipt;
    });

  /** Tells those who listen. */
  announce(event: RunEvent): void {
    for (const hear of [...this.#listening]) hear(event);
  }

  readonly #listening = new Set<(event: RunEvent | undefined) => void>();

  /** How many listen. */
  get listeners(): number {
    return this.#listening.size;
  }

  events = async function* (this: ToyServer, { signal }: Call = {}): AsyncGenerator<RunEvent> {
    while (signal?.aborted !== true) {
      const { promise, resolve } = Promise.withResolvers<RunEvent | undefined>();
      const hear = (event: RunEvent | undefined) => {
        this.#listening.delete(hear);
        resolve(event);
      };
      this.#listening.add(hear);
      signal?.addEventListener("abort", () => hear(undefined), { once: true });
      const event = await promise;
      if (event !== undefined) yield event;
    }
  }.bind(this);

  credit = () =>
    this.#answer("credit", () => ({
      tokens: 24 * this.uploads.length,
      recent: 0,
      merged: 0,
      pending: this.pending.shift() ?? 0,
      refused: 0,
    }));
}

export function refuse(code: ErrorCode): never {
  throw new ProtocolError(code, `the test says ${code}`);
}

function nonce(number: number): TicketId {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint32(0, number);
  const id = toBase64Url(bytes);
  if (!isTicketId(id)) throw new TypeError("16 bytes are a nonce");
  return id;
}
