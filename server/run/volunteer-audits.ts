import { codecIn, decodeFrame } from "../../protocol/frame.ts";
import type { Signer } from "../../protocol/identity.ts";
import type { Hash, RunId, TicketId, VolunteerKey } from "../../protocol/ids.ts";
import {
  type AuditAnswer,
  type AuditTicket,
  type Measured,
  reportable,
  signAudit,
} from "../../protocol/shared-audit.ts";
import type { Ticket } from "../../protocol/ticket.ts";
import type { Settled } from "../coordinator/events.ts";
import { sha256Now } from "../lib/signatures.ts";
import { Auditors } from "../trust/auditors.ts";
import { ANSWER_MS, type Sender, SharedAudits } from "../trust/shared-audits.ts";
import { FORFEITED, type Standing } from "../trust/standing.ts";
import { disguised } from "./disguise.ts";

/** Audits by volunteers that are open, at most, and bytes of their frames: those are held in memory, twice each. */
const MAX_OPEN = 512;
const MAX_OPEN_BYTES = 32 * 1024 * 1024;

/** One look at a delta. */
export interface SharedLook {
  readonly ticket: Ticket;
  /** Steps of its ticket that the delta is made of. */
  readonly done: number;
  readonly sender: Sender;
  /** As it was sent. */
  readonly frame: Uint8Array<ArrayBuffer>;
  /** The shard of other text. */
  readonly other: Hash;
  readonly batches: number;
  /** Tokens of training that it costs: what each auditor earns. */
  readonly tokens: number;
  /** The server's own measurement of the same. */
  readonly byServer: (delta: Float32Array<ArrayBuffer>, seed: number) => Promise<Measured>;
}

export interface VolunteerAuditsOptions {
  readonly run: RunId;
  readonly signer: Signer;
  readonly parameters: number;
  /** A number nobody can guess, in [0, 2³²). */
  readonly draw: () => number;
  readonly drawId: () => TicketId;
  /** The run clock. */
  readonly now: () => number;
  readonly standing: (volunteer: VolunteerKey) => Standing;
  readonly record: (settled: Omit<Settled, "at">) => Promise<void>;
  readonly failed: (error: unknown) => void;
}

interface Open {
  readonly look: SharedLook;
  readonly terms: Omit<AuditTicket, "volunteer" | "issued" | "signature">;
  readonly frame: Uint8Array<ArrayBuffer>;
  readonly resolve: (measured: Measured) => void;
  readonly reject: (error: unknown) => void;
}

/** Audits that volunteers make for the server, three of them each (trust/shared-audits.ts). */
export class VolunteerAudits {
  readonly #options: VolunteerAuditsOptions;
  readonly #auditors: Auditors;
  readonly #shared: SharedAudits;
  readonly #open = new Map<TicketId, Open>();

  constructor(options: VolunteerAuditsOptions) {
    const chance = () => options.draw() / 2 ** 32;
    this.#options = options;
    this.#auditors = new Auditors({ standing: options.standing, chance });
    this.#shared = new SharedAudits(this.#auditors, chance);
  }

  /** Whether there is room for one more, and three strangers to its sender are there. */
  canTake(sender: Sender, bytes: number): boolean {
    if (this.#open.size >= MAX_OPEN || (this.#open.size + 1) * bytes > MAX_OPEN_BYTES) return false;
    return this.#shared.canBegin(sender, this.#options.now());
  }

  /** A volunteer that agreed to audit asks for work: the audit that it was drawn for, if any, once. */
  async claim(volunteer: VolunteerKey, network: string | undefined): Promise<AuditTicket | undefined> {
    const { signer, now } = this.#options;
    const issued = now();
    this.tick();
    this.#auditors.asked(volunteer, network, issued);
    const id = this.#shared.claim(volunteer, issued);
    const open = id && this.#open.get(id);
    return open && signAudit(signer, { ...open.terms, volunteer, issued });
  }

  /** A delta of it was accepted. */
  worked(volunteer: VolunteerKey): void {
    this.#auditors.worked(volunteer);
  }

  /** The frame of an audit that is open. */
  frame(hash: Hash): Uint8Array<ArrayBuffer> | undefined {
    for (const { terms, frame } of this.#open.values()) if (terms.frame === hash) return frame;
    return undefined;
  }

  /** Takes an auditor's answer. Throws `audit-over`, `audit-answered` and `not-your-audit`. */
  answer(volunteer: VolunteerKey, { audit, measured }: AuditAnswer): void {
    const complete = this.#shared.answer(audit, volunteer, measured, this.#options.now());
    if (complete !== undefined) void this.#finish(audit, complete.settle ? undefined : complete.agreed);
  }

  /** Lets time act: late auditors are replaced, and audits that nobody finishes are made here. */
  tick(): void {
    for (const id of this.#shared.expire(this.#options.now())) void this.#finish(id, undefined);
  }

  /** Has three volunteers make a look; the server does where there are not as many. Rejects where nobody could. */
  measure(look: SharedLook): Promise<Measured> {
    const { run, parameters, draw, drawId, now } = this.#options;
    const id = drawId();
    const frame = disguised(look.frame, parameters, draw);
    const drawn = draw();
    if (!this.#shared.begin(id, look.sender, now())) return byServer(look, frame, drawn, parameters);
    const { promise, resolve, reject } = Promise.withResolvers<Measured>();
    const { version, hash, shard, window, seed, steps, batch, rates, fresh, inner } = look.ticket;
    // Field by field: nothing of the ticket may name its volunteer.
    const terms = {
      ...{ run, id, version, hash, shard, window, seed, steps, done: look.done, batch, fresh },
      ...{ rates: fresh ? rates : [], ...(inner && { inner }), delta: codecIn(frame, parameters) },
      ...{ frame: sha256Now(frame), bytes: frame.length, other: look.other },
      ...{ draw: drawn, batches: look.batches, lease: ANSWER_MS },
    };
    this.#open.set(id, { look, terms, frame, resolve, reject });
    return promise;
  }

  /** Ends an audit with what its auditors agreed on, or with what the server measures. */
  async #finish(id: TicketId, agreed: Measured | undefined): Promise<void> {
    const open = this.#open.get(id);
    if (open === undefined) return;
    const { look, frame, terms } = open;
    const { parameters, record, failed } = this.#options;
    try {
      const truth = agreed ?? reportable(await byServer(look, frame, terms.draw, parameters));
      const { right, wrong } = this.#shared.decide(id, truth);
      this.#open.delete(id);
      const by = agreed === undefined ? "server" : "agreement";
      const { tokens } = look;
      // What the delta is worth does not depend on whether the auditors' credit could be written.
      if (right.length + wrong.length > 0) {
        const found = { tokens, right, wrong, ...(wrong.length > 0 && { forfeits: FORFEITED }) };
        await record({ type: "settled", ticket: look.ticket.id, by, ...found }).catch(failed);
      }
      open.resolve(truth);
    } catch (error) {
      this.#shared.end(id);
      this.#open.delete(id);
      open.reject(error);
    }
  }
}

const byServer = (
  { byServer: measure }: SharedLook,
  frame: Uint8Array<ArrayBuffer>,
  seed: number,
  parameters: number,
): Promise<Measured> => measure(decodeFrame(frame, parameters), seed);
