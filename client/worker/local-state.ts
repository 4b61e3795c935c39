import { ModelError } from "../../model/contract/config.ts";
import type { Carried, Trainer } from "../../model/contract/trainer.ts";
import type { CodecSpec } from "../../protocol/codec/codec.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { codecOf, decodeFrame, frameOf } from "../../protocol/frame.ts";
import type { TicketId } from "../../protocol/ids.ts";
import type { TicketTerms } from "../../protocol/ticket.ts";
import type { Cache } from "../cache/cache.ts";
import { KEYS, readMoments, readResidual } from "../cache/entries.ts";
import type { Answer } from "./send.ts";

/**
 * Part of a delta that came too late which still counts, as in a merge (rule N2): one is refused at a staleness of 5.
 * Added back whole, the next delta would take two tickets' steps at once: it overshoots, helps half as much on its own
 * text, and an audit may find it bad.
 */
export const LATE_PART = (1 + 5) ** -1.5;
/** Versions after which a residual is dropped: it was meant for a model long gone. */
const FORGET_AFTER = 50;

export interface LocalStateOptions {
  readonly cache: Cache;
  /** Values in the flat vector. */
  readonly parameters: number;
  /** How deltas are sent whose ticket names no codec. */
  readonly codec: CodecSpec;
  /** Part of a residual kept from one version to the next. */
  readonly decay: number;
}

/** The work on one ticket, until its answer is known. */
export interface PackedDelta {
  readonly ticket: TicketId;
  readonly frame: Uint8Array<ArrayBuffer>;
  readonly made: Age;
}

/** How much residuals had aged when something was added to them. */
interface Age {
  readonly versions: number;
  readonly forgotten: number;
}

/**
 * A volunteer's state from ticket to ticket: moments, and the residual that error feedback adds to the next
 * delta (Karimireddy et al. 2019; rules C4 and T5). Both stay on the device that trains; here is known what they
 * stand for. A residual is provisional until the packed delta's answer is known:
 *
 * | the answer                    | moments | residual                                                     |
 * |-------------------------------|---------|--------------------------------------------------------------|
 * | receipt                       | stay    | stays: what compression left out                             |
 * | stale, lease-expired          | stay    | a part of what was sent is added back, since nothing of it   |
 * |                               |         | was taken; at the second time in a row only of the newer     |
 * | not-finite, norm-too-large    | none    | none: a state that led here is not to be trusted             |
 * | any other refusal             | stay    | none: the server will not take this delta later              |
 * | no answer until the lease end | stay    | none: it may have been taken, and what is sent twice hurts   |
 * |                               |         | more than what is lost once                                  |
 * | the ticket was not finished   | stay    | stays                                                        |
 *
 * A fresh ticket is computed without either and leaves an older volunteer's moments as they were; its own
 * compression error joins the residual.
 */
export class LocalState {
  readonly #options: LocalStateOptions;
  /** On whose device it is; undefined while it is on disk, or nowhere. */
  #holder: Trainer | undefined;
  /** State set aside while a fresh ticket has the device. */
  #aside: Carried | undefined;
  /** The ticket that left the residual, and its version; undefined before the first. */
  #left: { readonly version: number; readonly after: TicketId } | undefined;
  /** The inner optimiser that the moments belong to, as tickets name it. */
  #inner: TicketTerms["inner"];
  /** Whether what the device holds is a fresh ticket's, into which nothing may be put. */
  #fresh = false;
  /** Whether the residual has not aged since it was left: it does at least once, for a version may not have moved. */
  #young = false;
  #age: Age = { versions: 0, forgotten: 0 };
  /** The part of a late last delta that was added back, as it counted at that age. */
  #late: { readonly values: Float32Array; readonly made: Age } | undefined;
  /** Whether the disk does not have what is carried, and whether it has a residual. */
  #unsaved = false;
  #residualOnDisk = true;

  constructor(options: LocalStateOptions) {
    this.#options = options;
  }

  /** Loads a ticket's weights, and with them what it starts from. */
  async begin(
    trainer: Trainer,
    ticket: Pick<TicketTerms, "version" | "fresh" | "inner">,
    weights: Float32Array,
  ): Promise<void> {
    const holds = this.#holder === trainer;
    let start: Partial<Carried> | "kept" | undefined = this.#aside;
    if (start === undefined) start = holds ? "kept" : await this.#fromDisk();
    if (ticket.inner !== this.#inner) {
      // Moments of the one optimiser mean nothing to the other. A fresh ticket uses none, and those of before are let go.
      const { residual } = start === "kept" ? await trainer.carried() : (start ?? {});
      start = residual && { residual };
      this.#inner = ticket.inner;
    }
    const factor = this.#ageTo(ticket.version);
    if (!ticket.fresh) {
      this.#aside = undefined;
      await trainer.load(weights, start);
      if (factor !== 1) await trainer.adjustResidual(factor);
    } else {
      const older = start === "kept" ? await trainer.carried() : start;
      const { m, v, step, residual } = older ?? {};
      await trainer.load(weights);
      if (m && v && step !== undefined)
        this.#aside = { m, v, step, residual: scaled(residual ?? zero(m), factor) };
    }
    this.#holder = trainer;
    this.#fresh = ticket.fresh;
  }

  /** Has the device extract the ticket's payload. Throws a ModelError `not-finite`. */
  async pack(trainer: Trainer, ticket: Pick<TicketTerms, "version" | "id" | "delta">): Promise<PackedDelta> {
    const { codec: usual, parameters } = this.#options;
    const codec = ticket.delta ?? usual;
    const payload = await trainer.extract(codecOf(codec)).catch((error: unknown) => {
      throw isNotFinite(error) ? new ModelError("not-finite", error.message) : error;
    });
    this.#left = { version: ticket.version, after: ticket.id };
    this.#young = true;
    this.#unsaved = true;
    this.#fresh = false;
    if (this.#aside !== undefined) {
      const { residual } = await trainer.carried();
      this.#aside = { ...this.#aside, residual: sum(this.#aside.residual, residual, 1) };
    }
    return { ticket: ticket.id, frame: frameOf(codec, parameters, payload), made: this.#age };
  }

  /** Remembers an upload until it is answered: a page that is closed now finds the same bytes when it is back. */
  async sending(body: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#options.cache.write({
      [KEYS.pending]: body,
      ...(this.#residualOnDisk && { [KEYS.residual]: undefined }),
    });
    this.#residualOnDisk = false;
  }

  /** Carries on by the answer, see the table. */
  async settle(packed: PackedDelta, answer: Answer): Promise<void> {
    await this.#options.cache.write({ [KEYS.pending]: undefined });
    const code = answer instanceof ProtocolError ? answer.code : undefined;
    if (code === "not-finite" || code === "norm-too-large") return this.forget();
    const late = code === "stale" || code === "lease-expired";
    const before = this.#late;
    this.#late = undefined;
    if (answer === "taken") return;
    if (!late) return this.#adjust(0);
    const sent = decodeFrame(packed.frame, this.#options.parameters);
    const delta = scaled(sent, this.#since(packed.made));
    const newer = before ? sum(delta, scaled(before.values, this.#since(before.made)), -1) : delta;
    const back = scaled(newer, LATE_PART);
    this.#late = { values: back, made: this.#age };
    await this.#adjust(1, back);
  }

  /** Takes what is carried off the device, which may then serve another or go. */
  async park(): Promise<void> {
    this.#aside ??= await this.#holder?.carried();
    this.#holder = undefined;
  }

  /** Drops everything, on disk as well: numbers that lead nowhere. */
  async forget(): Promise<void> {
    this.#holder = undefined;
    this.#aside = undefined;
    this.#left = undefined;
    this.#late = undefined;
    this.#unsaved = false;
    this.#residualOnDisk = false;
    await this.#options.cache.write({ [KEYS.moments]: undefined, [KEYS.residual]: undefined });
  }

  /** Reads everything back and writes it to disk, unless that has it or the device is gone. */
  async save(): Promise<void> {
    const left = this.#left;
    if (!this.#unsaved || left === undefined) return;
    const carried = this.#aside ?? (await this.#holder?.carried().catch(() => undefined));
    if (carried === undefined) return;
    this.#unsaved = false;
    this.#residualOnDisk = true;
    const { residual, ...moments } = carried;
    await this.#options.cache.write({
      [KEYS.moments]: { ...moments, ...(this.#inner && { inner: this.#inner }) },
      [KEYS.residual]: { ...left, values: residual },
    });
  }

  async #fromDisk(): Promise<Partial<Carried> | undefined> {
    const { cache, parameters } = this.#options;
    const moments = await readMoments(cache, parameters);
    const residual = await readResidual(cache, parameters);
    this.#left = residual;
    this.#inner = moments?.inner;
    this.#young = residual !== undefined;
    this.#residualOnDisk = residual !== undefined;
    this.#late = undefined;
    return { ...moments, ...(residual && { residual: residual.values }) };
  }

  /** Lets the residual age to a version. Returns what is left of it. */
  #ageTo(version: number): number {
    if (this.#left === undefined) return 1;
    const age = version - this.#left.version;
    this.#left = { ...this.#left, version };
    const before = this.#age;
    // A version before the residual's means that the run was rolled back: the residual belongs to what is gone.
    const gone = age < 0 || age > FORGET_AFTER;
    this.#age = {
      versions: before.versions + Math.max(age, this.#young ? 1 : 0),
      forgotten: before.forgotten + (gone ? 1 : 0),
    };
    this.#young = false;
    return this.#since(before);
  }

  #since({ versions, forgotten }: Age): number {
    return forgotten === this.#age.forgotten ? this.#options.decay ** (this.#age.versions - versions) : 0;
  }

  async #adjust(factor: number, plus?: Float32Array): Promise<void> {
    this.#unsaved = true;
    if (this.#aside === undefined) {
      if (this.#fresh) return; // a server that trains the ticket again must get the same: what is owed is let go
      await this.#holder?.adjustResidual(factor, plus).catch(() => {
        this.#holder = undefined; // the device is gone, and the residual with it
      });
      return;
    }
    const kept = scaled(this.#aside.residual, factor);
    this.#aside = { ...this.#aside, residual: plus ? sum(kept, plus, 1) : kept };
  }
}

/** Errors that an encoder in TypeScript throws. */
const isNotFinite = (error: unknown): error is ProtocolError =>
  error instanceof ProtocolError && error.code === "not-finite";
const zero = (like: Float32Array): Float32Array => new Float32Array(like.length);
const scaled = (values: Float32Array, factor: number): Float32Array => values.map((value) => value * factor);
const sum = (a: Float32Array, b: Float32Array, times: number): Float32Array =>
  a.map((value, i) => value + times * b[i]!);
