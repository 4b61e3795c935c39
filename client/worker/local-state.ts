import { ModelError } from "../../model/contract/config.ts";
import type { Carried, Trainer } from "../../model/contract/trainer.ts";
import type { CodecSpec } from "../../protocol/codec/codec.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { codecOf, frameOf } from "../../protocol/frame.ts";
import type { TicketId } from "../../protocol/ids.ts";
import type { TicketTerms } from "../../protocol/ticket.ts";
import { type Cache, keeps } from "../cache/cache.ts";
import { KEYS, readMoments, readResidual } from "../cache/entries.ts";
import {
  type Age,
  type Change,
  change,
  type Event,
  outcomeOf,
  reduce,
  START,
} from "./local-state-reducer.ts";
import type { Answer } from "./send.ts";

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

/**
 * A volunteer's moments and residual: moves them between device and disk. What becomes of them is decided by
 * {@link reduce}, whose table says how.
 */
export class LocalState {
  readonly #options: LocalStateOptions;
  #state = START;
  /** On whose device they are; undefined while they are on disk, or nowhere. */
  #holder: Trainer | undefined;
  /** Set aside while a fresh ticket has the device. */
  #aside: Carried | undefined;

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
    if (ticket.inner !== this.#state.inner) {
      // Moments of the one optimiser mean nothing to the other. A fresh ticket uses none, and those of before are let go.
      const residual = start === "kept" ? await trainer.vector("residual") : start?.residual;
      start = residual && { residual };
    }
    if (!ticket.fresh) {
      const { factor } = this.#apply({ type: "begun", ticket, moments: true });
      this.#aside = undefined;
      await trainer.load(weights, start);
      if (factor !== 1) await trainer.adjustResidual(factor);
    } else {
      const older = start === "kept" ? await trainer.carried() : start;
      const { m, v, step, residual = m && new Float32Array(m.length) } = older ?? {};
      const moments = m && v && residual && step !== undefined ? { m, v, step, residual } : undefined;
      const aged = this.#apply({ type: "begun", ticket, moments: moments !== undefined });
      this.#aside = moments;
      if (moments) change(moments.residual, aged);
      await trainer.load(weights);
    }
    this.#holder = trainer;
  }

  /** Has the device extract the ticket's payload. Throws a ModelError `not-finite`. */
  async pack(trainer: Trainer, ticket: Pick<TicketTerms, "version" | "id" | "delta">): Promise<PackedDelta> {
    const { codec: usual, parameters } = this.#options;
    const codec = ticket.delta ?? usual;
    const payload = await trainer.extract(codecOf(codec)).catch((error: unknown) => {
      throw isNotFinite(error) ? new ModelError("not-finite", error.message) : error;
    });
    this.#apply({ type: "packed", ticket });
    if (this.#aside !== undefined) {
      const residual = await trainer.vector("residual");
      const aside = this.#aside.residual;
      for (let i = 0; i < aside.length; i++) aside[i]! += residual[i]!;
    }
    return { ticket: ticket.id, frame: frameOf(codec, parameters, payload), made: this.#state.age };
  }

  /** Remembers an upload until it is answered: a page that is closed now finds the same bytes when it is back. */
  async sending(body: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#options.cache.write({
      [KEYS.pending]: body,
      ...(this.#state.residualOnDisk && { [KEYS.residual]: undefined }),
    });
    this.#apply({ type: "sending" });
  }

  /** Carries on by the answer ({@link reduce}). */
  async settle({ frame, made }: PackedDelta, answer: Answer): Promise<void> {
    await this.#options.cache.write({ [KEYS.pending]: undefined });
    const outcome = outcomeOf(answer);
    const then = this.#apply(
      outcome === "late" ? { type: "settled", outcome, sent: frame, made } : { type: "settled", outcome },
    );
    if (outcome === "invalid") return this.#drop();
    if (then.factor === 1 && then.plus === undefined) return;
    if (this.#aside !== undefined) return change(this.#aside.residual, then);
    const holder = this.#holder;
    if (holder === undefined) return;
    const plus = then.plus && new Float32Array(this.#options.parameters);
    if (plus) change(plus, { ...then, factor: 1 });
    await holder.adjustResidual(then.factor, plus).catch(() => {
      this.#holder = undefined; // the device is gone, and the residual with it
    });
  }

  /** Takes what is carried off the device, which may then serve another or go. */
  async park(): Promise<void> {
    this.#aside ??= await this.#holder?.carried();
    this.#holder = undefined;
    if (this.#aside !== undefined) this.#apply({ type: "parked" });
  }

  /** Drops everything, on disk as well: numbers that lead nowhere. */
  async forget(): Promise<void> {
    this.#apply({ type: "forgotten" });
    await this.#drop();
  }

  async #drop(): Promise<void> {
    this.#holder = undefined;
    this.#aside = undefined;
    await this.#options.cache.write({ [KEYS.moments]: undefined, [KEYS.residual]: undefined });
  }

  /** Reads everything back and writes it to disk, unless that has it or the device is gone. */
  async save(): Promise<void> {
    const { left, inner, unsaved } = this.#state;
    if (!unsaved || left === undefined || !keeps(this.#options.cache, this.#options.parameters)) return;
    const carried = this.#aside ?? (await this.#holder?.carried().catch(() => undefined));
    if (carried === undefined) return;
    this.#apply({ type: "saved" });
    const { residual, ...moments } = carried;
    await this.#options.cache.write({
      [KEYS.moments]: { ...moments, ...(inner && { inner }) },
      [KEYS.residual]: { ...left, values: residual },
    });
  }

  async #fromDisk(): Promise<Partial<Carried>> {
    const { cache, parameters } = this.#options;
    const moments = await readMoments(cache, parameters);
    const residual = await readResidual(cache, parameters);
    const left = residual && { version: residual.version, after: residual.after };
    this.#apply({ type: "restored", left, inner: moments?.inner });
    return { ...moments, ...(residual && { residual: residual.values }) };
  }

  #apply(event: Event): Change {
    const { state, residual = { factor: 1 } } = reduce(this.#state, event, this.#options.decay);
    this.#state = state;
    return residual;
  }
}

/** Errors that an encoder in TypeScript throws. */
const isNotFinite = (error: unknown): error is ProtocolError =>
  error instanceof ProtocolError && error.code === "not-finite";
