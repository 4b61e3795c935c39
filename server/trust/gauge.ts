import type { CodecSpec } from "../../protocol/codec/codec.ts";
import { addFrame } from "../../protocol/frame.ts";
import type { TicketId } from "../../protocol/ids.ts";
import type { Ticket } from "../../protocol/ticket.ts";
import type { Facts } from "./candidate.ts";

/** Values that are compared, of those that are not zero: a cosine is known to about ±0.04. */
const PRINT_VALUES = 512;
/** Deltas that a new one is compared with. */
const REMEMBERED = 256;
/** Above this cosine two deltas are one; honest ones of one version reach about half of it. */
const SAME = 0.9;
/** Places at which a delta is held against the server's direction. */
const DIRECTION_PLACES = 16_384;

interface Print {
  readonly ticket: TicketId;
  /** Places in the sample, ascending, and what is there, scaled to norm 1. */
  readonly places: Uint32Array;
  readonly values: Float32Array;
}

/**
 * Measures deltas as they come in, cheaply enough to measure all: their size, whether they are copies, and
 * whether they point against the server's own direction. What it remembers is only good for finding more, so
 * a restart may forget it.
 */
export class Gauge {
  readonly #prints: Print[] = [];
  /** A delta's values while it is measured, zero between. */
  readonly #scratch: Float32Array<ArrayBuffer>;
  /** How many places of a print are looked at. */
  readonly #places: number;
  #direction: Float32Array | undefined;

  /** `codec` is that of the deltas: a sparse one is looked at in more places, so that as many values compare. */
  constructor(parameters: number, codec: CodecSpec) {
    this.#scratch = new Float32Array(parameters);
    const density = codec.name === "topk" ? codec.k / codec.chunk : 1;
    this.#places = Math.min(parameters, Math.ceil(PRINT_VALUES / density));
  }

  /** What the server's own training on gate text came to; the one before is forgotten. */
  direct(direction: Float32Array): void {
    this.#direction = direction;
  }

  /** Measures a delta whose frame was checked and has this L2 norm; `from` tells where it came from. Remembers it. */
  measure(
    { id, rates }: Pick<Ticket, "id" | "rates">,
    frame: Uint8Array<ArrayBuffer>,
    norm: number,
    from?: string,
  ): Facts {
    const values = this.#scratch;
    addFrame(frame, values, 1);
    const agreement = this.#agreement(values);
    const print = this.#printOf(id, values);
    addFrame(frame, values, -1); // x − x is zero: cheaper than filling, where the delta is sparse
    const copies = print && this.#prints.findLast((other) => cosine(print, other) > SAME)?.ticket;
    if (print !== undefined) this.#prints.push(print);
    if (this.#prints.length > REMEMBERED) this.#prints.shift();
    const rate = rates.reduce((sum, each) => sum + each, 0) / rates.length;
    return {
      size: norm / (rate * rates.length ** 0.75),
      ...(agreement === undefined ? {} : { agreement }),
      ...(copies === undefined ? {} : { copies }),
      ...(from === undefined ? {} : { from }),
    };
  }

  #agreement(values: Float32Array): number | undefined {
    const direction = this.#direction;
    if (direction === undefined) return undefined;
    const { length } = values;
    const places = Math.min(length, DIRECTION_PLACES);
    let [product, one, other] = [0, 0, 0];
    for (let n = 0; n < places; n++) {
      const i = Math.floor((n * length) / places);
      product += values[i]! * direction[i]!;
      one += values[i]! ** 2;
      other += direction[i]! ** 2;
    }
    return one === 0 || other === 0 ? 0 : product / Math.sqrt(one * other);
  }

  #printOf(ticket: TicketId, values: Float32Array): Print | undefined {
    const { length } = values;
    const count = this.#places;
    const places: number[] = [];
    const found: number[] = [];
    let squares = 0;
    for (let n = 0; n < count; n++) {
      const i = Math.floor((n * length) / count);
      const value = values[i]!;
      if (value === 0) continue;
      places.push(i);
      found.push(value);
      squares += value * value;
    }
    if (squares === 0) return undefined;
    const scale = 1 / Math.sqrt(squares);
    return {
      ticket,
      places: Uint32Array.from(places),
      values: Float32Array.from(found, (value) => value * scale),
    };
  }
}

/** Of two prints, over the places that both have: overlap of places and likeness of values in one number. */
function cosine(a: Print, b: Print): number {
  let product = 0;
  for (let i = 0, j = 0; i < a.places.length && j < b.places.length; ) {
    const [one, other] = [a.places[i]!, b.places[j]!];
    if (one === other) product += a.values[i++]! * b.values[j++]!;
    else if (one < other) i += 1;
    else j += 1;
  }
  return product;
}
