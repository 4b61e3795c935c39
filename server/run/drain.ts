import { utf8 } from "../../protocol/bytes.ts";
import type { Store } from "../store/store.ts";

const FILE = "drain";

/**
 * Whether the operator asked for a drain that is not over. It is noted beside the journal: it decides nothing that a
 * replay needs, but a server that is started again must not give work out as if nobody had asked.
 */
export class Drain {
  readonly #store: Store;
  #on: boolean;
  #noted: boolean;

  private constructor(store: Store, on: boolean) {
    this.#store = store;
    this.#on = on;
    this.#noted = on;
  }

  static async open(store: Store): Promise<Drain> {
    const note = await store.get("run", FILE);
    return new Drain(store, note !== undefined && new TextDecoder().decode(note) === NOTE.on);
  }

  get on(): boolean {
    return this.#on;
  }

  /** Holds at once, and is durable when this resolves. */
  async set(on: boolean): Promise<void> {
    this.#on = on;
    if (this.#noted === on) return;
    await this.#store.put("run", FILE, utf8(on ? NOTE.on : NOTE.off));
    this.#noted = on;
  }
}

const NOTE = { on: "draining\n", off: "over\n" };
