import { type CodecSpec, STRETCH } from "../../protocol/codec/codec.ts";
import { addStretches } from "../../protocol/frame.ts";
import type { TicketId } from "../../protocol/ids.ts";
import type { Ticket } from "../../protocol/ticket.ts";
import type { Facts } from "./candidate.ts";
import { type Part, Places } from "./places.ts";

/** Places of a dense delta that are compared. */
const PRINT_VALUES = 512;
/** A print of fewer values says nothing. */
const MIN_VALUES = 16;
/** Deltas that a new one is compared with. */
export const REMEMBERED = 256;
/**
 * Two deltas are one where more than this part of their values is the same, to the bit. A cosine would not do:
 * the first deltas of a run all point the same way. Codes and scales of honest ones hardly ever coincide.
 */
const SAME = 0.5;
/** Places at which a dense delta is held against the server's direction; of a sparse one so many more, up to four times. */
const DIRECTION_PLACES = 16_384;
const MAX_DENSER = 4;

interface Print {
  readonly ticket: TicketId;
  /** Places in the sample where there is something, ascending, and what is there. */
  readonly places: Uint32Array;
  readonly values: Float32Array;
}

/**
 * Measures deltas as they come in, cheaply enough to measure all: their size and that of each tensor, whether they
 * are copies, and whether they point against the server's own direction. What it remembers is only good for finding
 * more, so a restart may forget it.
 */
export class Gauge {
  readonly #prints: Print[] = [];
  /** A delta's values while it is measured, zero between. */
  readonly #scratch: Float32Array<ArrayBuffer>;
  readonly #places: Places;
  /** Where prints are taken, and where a delta is held against the direction. */
  readonly #printed: Uint32Array;
  readonly #compared: Uint32Array;
  /** The server's own at those places; undefined where there is none. */
  #direction: Float32Array | undefined;

  /**
   * `codec` is that of the deltas: a sparse one is looked at in more places, so that as many values compare.
   * `chance` gives numbers in [0, 1) that nobody can guess.
   */
  constructor(parameters: number, codec: CodecSpec, tensors: readonly Part[], chance: () => number) {
    this.#scratch = new Float32Array(parameters);
    const density = codec.name === "topk" ? codec.k / codec.chunk : 1;
    this.#places = new Places(parameters, tensors, chance);
    this.#printed = this.#places.spread(Math.ceil(PRINT_VALUES / density));
    this.#compared = this.#places.spread(DIRECTION_PLACES * Math.min(MAX_DENSER, 1 / density));
  }

  /** What the server's own training on gate text came to; the one before is forgotten. */
  direct(direction: Float32Array): void {
    this.#direction = Float32Array.from(this.#compared, (i) => direction[i]!);
  }

  /** Measures a delta whose frame was checked and has this L2 norm; `from` tells where it came from. Remembers it. */
  measure(
    { id, rates }: Pick<Ticket, "id" | "rates">,
    frame: Uint8Array<ArrayBuffer>,
    norm: number,
    from?: string,
  ): Facts {
    const values = this.#scratch;
    addStretches(frame, values, 1, this.#places.starts, STRETCH);
    const agreement = this.#agreement(values);
    const print = this.#printOf(id, values);
    const rate = rates.reduce((sum, each) => sum + each, 0) / rates.length;
    const usual = rate * rates.length ** 0.75;
    const tensors = this.#tensorNorms(values).map((each) => Number((each / usual).toPrecision(4)));
    addStretches(frame, values, -1, this.#places.starts, STRETCH); // x − x is zero: cheaper than filling, where the delta is sparse
    const copies = print && this.#prints.findLast((other) => overlap(print, other) > SAME)?.ticket;
    if (print !== undefined) this.#prints.push(print);
    if (this.#prints.length > REMEMBERED) this.#prints.shift();
    return {
      size: norm / usual,
      ...(tensors.length === 0 ? {} : { tensors }),
      ...(agreement === undefined ? {} : { agreement }),
      ...(copies === undefined ? {} : { copies }),
      ...(from === undefined ? {} : { from }),
    };
  }

  #agreement(values: Float32Array): number | undefined {
    const direction = this.#direction;
    if (direction === undefined) return undefined;
    let [product, one, other] = [0, 0, 0];
    for (let n = 0; n < direction.length; n++) {
      const value = values[this.#compared[n]!]!;
      if (value === 0) continue; // what a sparse delta leaves out says nothing
      product += value * direction[n]!;
      one += value ** 2;
      other += direction[n]! ** 2;
    }
    return one === 0 || other === 0 ? 0 : product / Math.sqrt(one * other);
  }

  /** About the L2 norm of each tensor, by the places looked at. */
  #tensorNorms(values: Float32Array): number[] {
    return this.#places.tensors.map(({ length, places }) => {
      let squares = 0;
      for (const i of places) squares += values[i]! ** 2;
      return places.length === 0 ? 0 : Math.sqrt((squares * length) / places.length);
    });
  }

  #printOf(ticket: TicketId, values: Float32Array): Print | undefined {
    const places: number[] = [];
    for (const i of this.#printed) if (values[i] !== 0) places.push(i);
    if (places.length < MIN_VALUES) return undefined;
    return {
      ticket,
      places: Uint32Array.from(places),
      values: Float32Array.from(places, (i) => values[i]!),
    };
  }
}

/** The part of two prints that is in both: the same value in the same place. */
function overlap(a: Print, b: Print): number {
  let same = 0;
  for (let i = 0, j = 0; i < a.places.length && j < b.places.length; ) {
    const [one, other] = [a.places[i]!, b.places[j]!];
    if (one === other) same += +(a.values[i++] === b.values[j++]);
    else if (one < other) i += 1;
    else j += 1;
  }
  return same / Math.max(a.places.length, b.places.length);
}
