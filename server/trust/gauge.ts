import { type CodecSpec, STRETCH } from "../../protocol/codec/codec.ts";
import { addStretches } from "../../protocol/frame.ts";
import type { TicketId } from "../../protocol/ids.ts";
import type { Ticket } from "../../protocol/ticket.ts";
import type { Facts } from "./candidate.ts";
import { type Part, Places } from "./places.ts";

/** Places of a dense delta that are compared. */
const PRINT_VALUES = 512;
/** Values of a print, at least: with fewer it shows nothing. */
const MIN_VALUES = 16;
/** Deltas that a new one is compared with. */
export const REMEMBERED = 256;
/**
 * Part of their values that two deltas must share, to the bit, to count as one. A cosine would not do: the first deltas
 * of a run all point the same way. Codes and scales of honest ones hardly ever coincide.
 */
const SAME = 0.5;
/** And where as many as this are the same up to one factor, by which a copy was made larger or smaller, */
const SAME_SCALED = 0.75;
/** each as near to that factor as this part of it: the scale of a block is a bf16, rounded up. */
const FACTOR_TOLERANCE = 2 ** -7;
/** Ratios by whose median the factor is found. */
const FACTOR_SAMPLE = 15;
/**
 * The largest sine of the angle between such two. Alone either rule would not do: before a model has learned much, honest
 * deltas in two bits have most ratios in common, and those of a text with two letters come as near as .017.
 */
const MAX_SINE = 0.03;
/** Places at which a dense delta is compared with the server's direction; of a sparse one up to four times as many. */
const DIRECTION_PLACES = 16_384;
const MAX_DENSER = 4;

interface Print {
  readonly ticket: TicketId;
  /** Places in the sample where there is something, ascending, and what is there. */
  readonly places: Uint32Array;
  readonly values: Float32Array;
  /** The sum of the values' squares. */
  readonly squares: number;
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
  /** Places of prints, and of the comparison with the direction. */
  readonly #printed: Uint32Array;
  readonly #compared: Uint32Array;
  /** Of one print's values to another's, while the two are compared. */
  readonly #ratios: Float64Array;
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
    this.#ratios = new Float64Array(this.#printed.length);
    this.#compared = this.#places.spread(DIRECTION_PLACES * Math.min(MAX_DENSER, 1 / density));
  }

  /** Takes the result of the server's own training on gate text; the one before is forgotten. */
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
    this.#forget(id);
    const values = this.#scratch;
    addStretches(frame, values, 1, this.#places.starts, STRETCH);
    const agreement = this.#agreement(values);
    const print = this.#printOf(id, values);
    const rate = rates.reduce((sum, each) => sum + each, 0) / rates.length;
    const usual = rate * rates.length ** 0.75;
    const tensors = this.#tensorNorms(values).map((each) => Number((each / usual).toPrecision(4)));
    addStretches(frame, values, -1, this.#places.starts, STRETCH); // x − x is zero: cheaper than filling, where the delta is sparse
    const copies = print && this.#prints.findLast((other) => this.#isCopy(print, other))?.ticket;
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

  /** A delta that could not be kept is measured again when it is sent again: it is no copy of itself. */
  #forget(ticket: TicketId): void {
    const before = this.#prints.findIndex((print) => print.ticket === ticket);
    if (before >= 0) this.#prints.splice(before, 1);
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

  /** Whether most of two prints is in both: the same value in the same place, or the same up to one factor for all. */
  #isCopy(a: Print, b: Print): boolean {
    let [same, common, product] = [0, 0, 0];
    for (let i = 0, j = 0; i < a.places.length && j < b.places.length; ) {
      const [one, other] = [a.places[i]!, b.places[j]!];
      if (one === other) {
        const [value, copied] = [a.values[i++]!, b.values[j++]!];
        same += +(value === copied);
        product += value * copied;
        this.#ratios[common++] = value / copied;
      } else if (one < other) i += 1;
      else j += 1;
    }
    const values = Math.max(a.places.length, b.places.length);
    if (same > SAME * values) return true;
    if (product ** 2 < (1 - MAX_SINE ** 2) * a.squares * b.squares) return false;
    const ratios = this.#ratios.subarray(0, common);
    const factor = factorOf(ratios);
    const near = ratios.reduce(
      (count, ratio) => count + +(Math.abs(ratio - factor) <= FACTOR_TOLERANCE * Math.abs(factor)),
      0,
    );
    return near > SAME_SCALED * values;
  }

  #printOf(ticket: TicketId, values: Float32Array): Print | undefined {
    const places: number[] = [];
    for (const i of this.#printed) if (values[i] !== 0) places.push(i);
    if (places.length < MIN_VALUES) return undefined;
    const squares = places.reduce((sum, i) => sum + values[i]! ** 2, 0);
    return {
      ...{ ticket, squares },
      places: Uint32Array.from(places),
      values: Float32Array.from(places, (i) => values[i]!),
    };
  }
}

/** The factor that most of some numbers lie at, if most of them do. */
function factorOf(ratios: Float64Array): number {
  const length = Math.min(FACTOR_SAMPLE, ratios.length);
  const sample = Float64Array.from({ length }, (_, n) => ratios[Math.floor((n * ratios.length) / length)]!);
  return sample.sort()[length >> 1] ?? 0;
}
