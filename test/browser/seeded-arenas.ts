import type { Arena, Slot } from "../../model/engine/ops.ts";
import { Random } from "../../model/lib/random.ts";
import type { PlainArenas } from "./engine-page.ts";

/** Gives slots their places and arenas their (seeded) contents. */
export class SeededArenas {
  readonly arenas: PlainArenas = {
    parameters: [],
    gradients: [],
    m: [],
    v: [],
    loaded: [],
    activations: [],
    tokens: [],
  };
  readonly #random = new Random(7);

  /** `odd`: the slot does not begin at a multiple of four values. */
  slot(arena: Arena, length: number, { odd = false, below = 0 } = {}): Slot {
    const values = this.arenas[arena]!;
    while (values.length % 4 !== (odd ? 1 : 0)) values.push(0);
    const offset = values.length;
    for (let i = 0; i < length; i++)
      values.push(below > 0 ? this.#random.below(below) : Math.fround(this.#random.unit() * 2 - 1));
    return { arena, offset, length };
  }

  set(slot: Slot, values: readonly number[]): Slot {
    values.forEach((value, i) => {
      this.arenas[slot.arena]![slot.offset + i] = value;
    });
    return slot;
  }
}
