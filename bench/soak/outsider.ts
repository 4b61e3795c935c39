import type { Carried, Trainer } from "../../model/contract/trainer.ts";
import { batchesOf } from "../../model/data/batches.ts";
import type { CodecSpec } from "../../protocol/codec/codec.ts";
import { codecOf, frameOf } from "../../protocol/frame.ts";
import type { VolunteerKey } from "../../protocol/ids.ts";
import type { Ticket } from "../../protocol/ticket.ts";

/** What all tickets of a run have in common. */
export interface Terms {
  readonly context: number;
  readonly codec: CodecSpec;
  /** What is kept of a residual from one version to the next. */
  readonly decay: number;
}

/**
 * An honest volunteer that somebody else wrote. It trains every ticket as it should; what persists from one to the
 * next (rule T5) it has, or it begins each ticket anew, which is as honest.
 */
export class Outsider {
  readonly key: VolunteerKey;
  readonly #persists: boolean;
  #carried: Carried | undefined;
  /** The version of the ticket that left the residual. */
  #left = 0;

  constructor(number: number, persists: boolean) {
    this.key = `${number}`.padStart(43, "0") as VolunteerKey;
    this.#persists = persists;
  }

  /** Trains a ticket; returns the frame to send. Others may use the trainer before and after. */
  async train(
    trainer: Trainer,
    ticket: Ticket,
    shard: Uint16Array,
    weights: Float32Array,
    { context, codec, decay }: Terms,
  ): Promise<Uint8Array<ArrayBuffer>> {
    await trainer.load(weights, ticket.fresh ? undefined : this.#carried);
    if (!ticket.fresh) await trainer.adjustResidual(decay ** Math.max(1, ticket.version - this.#left));
    let step = 0;
    for (const tokens of batchesOf(shard, ticket, context)) {
      await trainer.step(tokens, ticket.batch, ticket.rates[step++]!);
    }
    const frame = frameOf(codec, weights.length, await trainer.extract(codecOf(codec)));
    if (this.#persists && !ticket.fresh) {
      this.#carried = await trainer.carried();
      this.#left = ticket.version;
    }
    return frame;
  }
}
