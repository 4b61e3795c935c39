import type { ModelShape } from "../../model/contract/config.ts";
import type { TileNames } from "../../model/engine/webgpu/kernels/tile.ts";
import type { Cache } from "./cache.ts";
import { fieldsOf, KEYS } from "./entries.ts";

/** Adapters and runs remembered; a visitor has few of either. The least recently used is given up. */
const KEPT = 8;

interface Kept {
  readonly where: string;
  readonly tiles: TileNames;
}

/** The tiles that the WebGPU probe found on an adapter for a model, between visits. */
export class TileMemory {
  readonly #cache: Cache;
  readonly #shape: ModelShape;

  constructor(cache: Cache, shape: ModelShape) {
    this.#cache = cache;
    this.#shape = shape;
  }

  /** The names that were remembered, if they have the shape of names; the engine knows which it still offers. */
  async recall(adapter: string): Promise<TileNames | undefined> {
    const where = this.#where(adapter);
    return (await this.#kept()).find((kept) => kept.where === where)?.tiles;
  }

  async remember(adapter: string, tiles: TileNames): Promise<void> {
    const where = this.#where(adapter);
    const others = (await this.#kept()).filter((kept) => kept.where !== where);
    await this.#cache.write({ [KEYS.tiles]: [{ where, tiles }, ...others].slice(0, KEPT) });
  }

  /** Forgets all tiles, since one turned out wrong. */
  forget(): Promise<void> {
    return this.#cache.write({ [KEYS.tiles]: undefined });
  }

  #where(adapter: string): string {
    return `${adapter} ${Object.values(this.#shape).join("×")}`;
  }

  async #kept(): Promise<Kept[]> {
    const kept = await this.#cache.get(KEYS.tiles);
    if (!Array.isArray(kept)) return [];
    return kept.flatMap((one) => {
      const { where, tiles } = fieldsOf(one);
      const { NN, NT, TN } = fieldsOf(tiles);
      const strings = typeof NN === "string" && typeof NT === "string" && typeof TN === "string";
      return typeof where === "string" && strings ? [{ where, tiles: { NN, NT, TN } }] : [];
    });
  }
}
