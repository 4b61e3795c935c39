import type { Carried, Trainer } from "../../model/contract/trainer.ts";
import { batchesOf } from "../../model/data/batches.ts";
import type { CodecSpec } from "../../protocol/codec/codec.ts";
import { codecOf, decodeFrame, frameOf } from "../../protocol/frame.ts";
import type { VolunteerKey } from "../../protocol/ids.ts";
import type { Ticket } from "../../protocol/ticket.ts";
import type { Attack, Training } from "./attacks.ts";

/** A volunteer of the bench: its text, and what it carries from ticket to ticket. */
export class Member {
  readonly text: Uint16Array;
  readonly attack: Attack | undefined;
  /** The first delta it made. */
  first: Float32Array | undefined;
  /** Deltas sent, and refused at the door. */
  sent = 0;
  refused = 0;
  #carried: Carried | undefined;
  readonly #number: number;
  /** Keys that it had before this one. */
  #keys = 0;
  /** The version of the ticket that left the residual. */
  #left = 0;

  constructor(number: number, text: Uint16Array, attack: Attack | undefined) {
    this.#number = number;
    this.text = text;
    this.attack = attack;
  }

  get key(): VolunteerKey {
    const name = this.#keys === 0 ? `${this.#number}` : `${this.#number}x${this.#keys}`;
    return name.padStart(43, "0") as VolunteerKey;
  }

  /** Comes again under a new key. */
  rejoin(): void {
    this.#keys += 1;
  }

  /** Whether it does with this ticket what an honest volunteer would. */
  isHonest({ fresh }: Pick<Ticket, "fresh">): boolean {
    return this.attack === undefined || (fresh && this.attack.honestWhenFresh === true);
  }

  /** How it trains on this ticket, if it does. */
  training(ticket: Ticket): Training | undefined {
    if (this.isHonest(ticket)) return {};
    const trains = this.attack?.trains || undefined;
    return trains?.once && this.first !== undefined ? undefined : trains;
  }

  /** Trains a ticket for real; returns the delta as it would be sent. */
  async train(
    trainer: Trainer,
    ticket: Ticket,
    { text: change = (tokens) => tokens, passes = 1, steps }: Training,
    weights: Float32Array,
    { context, codec, decay }: { context: number; codec: CodecSpec; decay: number },
  ): Promise<Float32Array<ArrayBuffer>> {
    await trainer.load(weights, ticket.fresh ? undefined : this.#carried);
    if (!ticket.fresh) await trainer.adjustResidual(decay ** Math.max(1, ticket.version - this.#left));
    this.#left = ticket.version;
    const batches = [...batchesOf(change(this.text), ticket, context)].slice(0, steps);
    for (let pass = 0; pass < passes; pass++) {
      for (const [step, tokens] of batches.entries()) {
        await trainer.step(tokens, ticket.batch, ticket.rates[step]!);
      }
    }
    await trainer.losses();
    const payload = await trainer.extract(codecOf(codec));
    if (!ticket.fresh) this.#carried = await trainer.carried();
    const delta = decodeFrame(frameOf(codec, weights.length, payload), weights.length);
    this.first ??= delta;
    return delta;
  }
}
